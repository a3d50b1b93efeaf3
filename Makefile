# SPDX-License-Identifier: GPL-2.0
# `make help` lists what there is.

VARIANT := $(if $(filter arm64 aarch64,$(ARCH)),arm64,x86_64$(if $(BASE),-base)$(if $(DEBUG),-debug))
IMAGE := $(if $(filter arm64,$(VARIANT)),Image,bzImage)
export KSRC

.PHONY: help kernel run vm test longrun selftest mainline-test kunit bench fuzz coverage lint htmldocs patchset deb deb-test fetch clean distclean
.NOTPARALLEL:

help:
	@echo 'make run        the main job: a device in a VM uses memory through /dev/iommu'
	@echo 'make test       every test; the last line counts them'
	@echo 'make kernel     build/x86_64/bzImage; DEBUG=1, BASE=1, ARCH=arm64 for the others'
	@echo 'make longrun    everything at once on the debug kernel, for MINUTES=30'
	@echo 'make kunit      the KUnit tests, on UML'
	@echo 'make selftest   the kselftests on the mock IOMMU, in a VM; DEBUG=1, ARCH=arm64'
	@echo 'make mainline-test  the kselftest of mainline'"'"'s iommufd, unmodified, on this kernel'
	@echo 'make fuzz       fuzzes the calls on the debug kernel; MINUTES=10, SEED=number'
	@echo 'make coverage   lines that kselftests and fuzzer reach; build/coverage/'
	@echo 'make vm         a shell in the VM; PROFILE=vtd-sl: with an IOMMU, see tests/vm/run --help'
	@echo 'make bench      instruction counts of our kernel and of the base'
	@echo 'make lint       sparse, checkpatch, warnings, kernel-doc, layers, budgets'
	@echo 'make htmldocs   build/htmldocs/: our pages of the kernel documentation'
	@echo 'make patchset   build/patchset/: all of it as patches for a 6.12.y tree'
	@echo 'make deb        build/deb/: packages for the kernel of Debian 13 as it is'
	@echo 'make deb-test   installs them, and boots that kernel'
	@echo 'make clean      removes build/; distclean: the cache of source and objects too'
	@echo 'KSRC=DIR        takes this 6.12.y tree as the base; it is only read'

kernel:
	@scripts/kernel $(VARIANT)

fetch:
	@scripts/fetch

run: VARIANT := x86_64
run: kernel
	@tests/vm/main-job

vm: kernel
	@tests/vm/run --kernel build/$(VARIANT)/$(IMAGE) $(if $(PROFILE),--profile $(PROFILE)) --interactive -- /bin/bash

selftest: kernel
	@tests/vm/selftest --kernel build/$(VARIANT)/$(IMAGE)

longrun:
	@scripts/kernel x86_64-debug
	@tests/vm/longrun $(or $(MINUTES),30)

mainline-test: kernel
	@tests/vm/mainline-test --kernel build/$(VARIANT)/bzImage

kunit:
	@scripts/kunit

fuzz:
	@scripts/kernel x86_64-debug
	@tests/vm/fuzz --minutes $(or $(MINUTES),10) $(if $(SEED),--seed $(SEED))

coverage:
	@scripts/coverage $(or $(MINUTES),10)

bench:
	@scripts/kernel x86_64-base
	@scripts/kernel x86_64
	@tools/iommu/bench-run

test:
	@scripts/test

lint:
	@scripts/lint

htmldocs:
	@scripts/htmldocs

patchset:
	@scripts/patchset

deb:
	@scripts/deb

deb-test:
	@tests/vm/deb --all

clean:
	rm -rf build

distclean: clean
	@scripts/distclean
