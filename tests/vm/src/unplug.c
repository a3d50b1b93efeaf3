// SPDX-License-Identifier: GPL-2.0
/*
 * A function that is taken away while it does DMA and while its files are open: who holds it is
 * told, loses nothing until it lets go, and then the function reaches nothing and its calls fail.
 *
 *	unplug BDF remove        by sysfs; it is there again after a rescan
 *	unplug BDF pasid         the same, and all DMA is that of a PASID (module pasid_shim)
 *	unplug BDF PORT ID       by the machine: PORT leads to QEMU's monitor, ID is its name there
 */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/iommufd.h>
#include <linux/vfio.h>
#include "rig.h"
#include "shim.h"

#define BASE	0x4000000ULL
#define COUNT	512
#define PASID	1

static const char *bdf, *port, *id, *how;
static bool by_pasid;
static char folder[64];
static __u8 *shared;	/* the page at BASE */

static void put(const char *path, const char *text)
{
	int fd = xopen(path, O_WRONLY);

	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err(1, "%s", path);
	close(fd);
}

static void name_of(char *line, size_t size, const char *what)
{
	snprintf(line, size, "%s: %s", how, what);
}

static bool tell(bool good, const char *what)
{
	char line[200];

	name_of(line, sizeof(line), what);
	return check(good, line, "it is not so");
}

static void tell_rc(int rc, int want, const char *what)
{
	char line[200];

	name_of(line, sizeof(line), what);
	check_rc(rc, want, line);
}

static int go;

/*
 * A child that takes the function away when it is told to, and does not end before it is gone, if
 * by sysfs. It is to be made before the function is opened: it must not hold anything.
 */
static pid_t make_remover(void)
{
	char text[200];
	int fds[2];
	pid_t pid;

	if (pipe(fds))
		err(1, "pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (pid) {
		close(fds[0]);
		go = fds[1];
		return pid;
	}
	if (read(fds[0], text, 1) != 1)
		_exit(1);
	if (port) {
		snprintf(text, sizeof(text), "device_del %s\n", id);
		put(port, text);
	} else {
		snprintf(text, sizeof(text), "%s/remove", folder);
		put(text, "1");
	}
	_exit(0);
}

static void take_away(void)
{
	if (write(go, "g", 1) != 1)
		err(1, "pipe");
	close(go);
}

static bool is_there(void)
{
	return !access(folder, F_OK);
}

static bool is_vfio(void)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/vfio-dev", folder);
	return !access(path, F_OK);
}

static bool comes_true(bool (*condition)(void), bool wanted, int seconds)
{
	int tries;

	for (tries = 0; tries < seconds * 20; tries++) {
		if (condition() == wanted)
			return true;
		usleep(50000);
	}
	return false;
}

/* The driver has asked for the function back. */
static int request_event(int dev)
{
	struct {
		struct vfio_irq_set head;
		__s32 fd;
	} set = {
		.head = {
			.argsz = sizeof(set), .index = VFIO_PCI_REQ_IRQ_INDEX, .count = 1,
			.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		},
		.fd = eventfd(0, EFD_CLOEXEC),
	};

	if (set.fd < 0 || ioctl(dev, VFIO_DEVICE_SET_IRQS, &set))
		err(1, "the request interrupt");
	return set.fd;
}

static bool is_told(int event, int ms)
{
	struct pollfd p = { .fd = event, .events = POLLIN };

	return poll(&p, 1, ms) == 1;
}

static void use(struct rig *rig)
{
	__u32 pt;

	rig_open(rig, bdf);
	memset(shared, 0, PAGE);
	if (ioas_map(rig->iommu, rig->ioas, shared, PAGE, BASE, RW))
		errx(1, "map");
	if (by_pasid) {
		pt = rig->ioas;
		if (dev_attach_pasid(rig->dev, PASID, &pt) || dev_detach(rig->dev))
			errx(1, "attach");
		go_through(PASID);
	}
	rig_write(rig, BASE, COUNT, 1);
	if (!filled(shared, COUNT, 1))
		errx(1, "DMA did not work before");
}

/* While it is wanted back, and held. */
static void holds(struct rig *rig, pid_t remover)
{
	struct rig other;
	void *more = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	__u32 hwpt;

	/* The machine does not: it asks, and is told later. */
	if (!port)
		tell(!waitpid(remover, NULL, WNOHANG), "who takes it away waits");
	rig_write(rig, BASE, COUNT, 2);
	tell(filled(shared, COUNT, 2), "DMA goes on while it is held");
	tell_rc(ioas_map(rig->iommu, rig->ioas, more, PAGE, BASE * 2, RW), 0, "so does map");
	tell_rc(hwpt_alloc(rig->iommu, 0, rig->devid, rig->ioas, &hwpt), 0, "and a page table");
	tell(!is_vfio(), "nobody else can open it");
	other.iommu = open_iommu();
	tell_rc(ioas_alloc(other.iommu, &other.ioas), 0, "other contexts do not wait");
	close(other.iommu);
	ioas_unmap(rig->iommu, rig->ioas, BASE * 2, PAGE);
	munmap(more, PAGE);
}

static bool none_pinned(void)
{
	return !pins();
}

/* The holder lets go of the device; it keeps the context. */
static void let_go(struct rig *rig)
{
	__u32 hwpt, pasid;
	char *more = xmmap(PAGE, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	rig_load(rig, COUNT, 3);
	memset(shared, 0, PAGE);
	edu_start(rig->bar, EDU_BUFFER, BASE, COUNT, true);
	munmap(rig->bar, PAGE);
	close(rig->dev);
	tell(comes_true(is_there, false, 30), "it goes as soon as it is let go");
	usleep(300000);
	tell(untouched(shared), "the write that was under way is refused");
	tell_rc(hwpt_alloc(rig->iommu, 0, rig->devid, rig->ioas, &hwpt), -ENOENT,
		"its ID means nothing any more");
	tell_rc(pasid_alloc(rig->iommu, 0, rig->devid, &pasid), -ENOENT, "nor for a PASID");
	tell_rc(ioas_map(rig->iommu, rig->ioas, more, PAGE, BASE * 2, RW), 0,
		"the address space is as it was");
	tell_rc(ioas_unmap(rig->iommu, rig->ioas, BASE, PAGE), 0, "and can be emptied");
	close(rig->iommu);
	munmap(rig->stage, PAGE);
	munmap(more, PAGE);
	tell(comes_true(none_pinned, true, 5), "nothing stays pinned");
}

static void bring_back(void)
{
	char text[200];

	if (port) {
		snprintf(text, sizeof(text),
			 "device_add edu,id=%s,bus=hotport,dma_mask=0xffffffffffff\n", id);
		put(port, text);
	} else {
		put("/sys/bus/pci/rescan", "1");
	}
	if (!comes_true(is_there, true, 30))
		errx(1, "%s does not come back", bdf);
	snprintf(text, sizeof(text), "%s/driver_override", folder);
	put(text, "vfio-pci");
	put("/sys/bus/pci/drivers_probe", bdf);
	/* The kernel may not be done with the function itself yet, and binds it then. */
	if (!comes_true(is_vfio, true, 30))
		errx(1, "%s does not come back to vfio-pci", bdf);
}

static void asked_and_given(void)
{
	struct rig rig;
	pid_t remover = make_remover();
	int event;

	use(&rig);
	event = request_event(rig.dev);
	tell(!is_told(event, 0), "nobody wants it back yet");
	edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
	take_away();
	tell(is_told(event, 30000), "the holder is told");
	edu_wait(rig.bar);
	holds(&rig, remover);
	let_go(&rig);
	if (waitpid(remover, NULL, 0) != remover)
		err(1, "waitpid");
	close(event);
}

/* A holder that does not listen, and is killed while its function writes. */
static void with_killed_holder(void)
{
	pid_t pid, remover = make_remover();
	int fds[2];
	char c;

	if (pipe(fds))
		err(1, "pipe");
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		err(1, "fork");
	if (!pid) {
		struct rig rig;

		use(&rig);
		for (;;) {
			edu_start(rig.bar, EDU_BUFFER, BASE, COUNT, true);
			if (write(fds[1], "r", 1) != 1)
				_exit(1);
			edu_wait(rig.bar);
		}
	}
	if (read(fds[0], &c, 1) != 1)
		errx(1, "the holder did not start");
	take_away();
	usleep(1000000);
	tell(is_there(), "a holder that does not listen keeps it");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	memset(shared, 0, PAGE);
	tell(comes_true(is_there, false, 30), "it goes when the holder is killed");
	waitpid(remover, NULL, 0);
	usleep(300000);
	tell(untouched(shared), "what the killed holder's function wrote is refused");
	tell(comes_true(none_pinned, true, 5), "killed: nothing stays pinned");
	close(fds[0]);
	close(fds[1]);
}

/* The one that has come back is as good as the first. */
static void as_new(void)
{
	struct rig rig;

	bring_back();
	if (by_pasid)
		tell(!entry_present(PASID), "back again, the PASID has no entry");
	use(&rig);
	tell(filled(shared, COUNT, 1), "back again, it works");
	rig_close(&rig);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 4)
		errx(2, "usage: unplug BDF remove | unplug BDF pasid | unplug BDF PORT ID");
	bdf = argv[1];
	by_pasid = argc == 3 && !strcmp(argv[2], "pasid");
	how = argc == 4 ? "by the machine" : by_pasid ? "by sysfs, at a PASID" : "by sysfs";
	if (argc == 4) {
		port = argv[2];
		id = argv[3];
	}
	snprintf(folder, sizeof(folder), "/sys/bus/pci/devices/%s", bdf);
	shared = xmmap(PAGE, MAP_SHARED | MAP_ANONYMOUS, -1);
	asked_and_given();
	as_new();
	with_killed_holder();
	as_new();
	return check_done();
}
