// SPDX-License-Identifier: MIT
// Regions of addresses and ports: taken, refused, given back; resources inside others; what /proc shows.
// then: cat /proc/ioports
#include <linux/module.h>
#include <linux/ioport.h>
#include <linux/slab.h>

#define BASE 0xfed40000UL

static struct resource window = DEFINE_RES_MEM_NAMED(BASE, 0x10000, "window");
static struct resource inner = DEFINE_RES_MEM_NAMED(BASE + 0x1000, 0x1000, "inner");
static struct resource around = DEFINE_RES_MEM_NAMED(BASE - 0x1000, 0x20000, "around");
static struct resource cut = DEFINE_RES_MEM_NAMED(BASE + 0xf000, 0x2000, "cut");
static struct resource found = { .name = "found", .flags = IORESOURCE_MEM };

static int children(struct resource *parent)
{
	struct resource *r;
	int n = 0;

	for (r = parent->child; r; r = r->sibling)
		n++;
	return n;
}

static int __init resources_init(void)
{
	struct resource *r;

	pr_info("roots: %pR %pR\n", &iomem_resource, &ioport_resource);
	r = request_region(0x300, 8, "lab card");
	pr_info("ports: %pR named %s, busy %d, parent %d\n", r, r->name, !!(r->flags & IORESOURCE_BUSY),
		r->parent == &ioport_resource);
	pr_info("again: %d, overlapping: %d, beyond: %d, none: %d\n", request_region(0x300, 8, "x") != NULL,
		request_region(0x306, 4, "x") != NULL, request_region(0xfffe, 8, "x") != NULL,
		request_region(0x400, 0, "x") != NULL);
	pr_info("beside: %d\n", request_region(0x308, 8, "neighbour") != NULL);
	pr_info("RAM: %d\n", request_mem_region(0x200000, 0x1000, "x") != NULL);
	release_region(0x300, 4);
	release_region(0x500, 8);

	pr_info("window: %d, inner: %d\n", request_resource(&iomem_resource, &window),
		request_resource(&window, &inner));
	pr_info("conflict: %s\n", request_resource_conflict(&iomem_resource, &cut)->name);
	pr_info("insert around: %d, parent of window %s, children %d\n", insert_resource(&iomem_resource, &around),
		window.parent->name, children(&around));
	pr_info("insert across: %d\n", insert_resource(&iomem_resource, &cut));
	pr_info("region in a window: %d\n", request_mem_region(BASE + 0x4000, 0x100, "registers") != NULL);
	pr_info("its parent: %s\n", inner.sibling->parent->name);
	pr_info("lookup: %d %d\n", lookup_resource(&window, BASE + 0x1000) == &inner,
		lookup_resource(&window, BASE + 0x2000) != NULL);
	pr_info("allocate: %d", allocate_resource(&window, &found, 0x800, BASE, BASE + 0xffff, 0x1000, NULL, NULL));
	pr_cont(" %pR\n", &found);
	pr_info("full: %d\n", allocate_resource(&window, &cut, 0x20000, BASE, BASE + 0xffff, 0x1000, NULL, NULL));
	pr_info("adjust: %d %d\n", adjust_resource(&inner, BASE + 0x1000, 0x800),
		adjust_resource(&window, BASE + 0x2000, 0x1000));
	release_mem_region(BASE + 0x4000, 0x100);
	pr_info("release: %d %d, twice %d\n", release_resource(&found), release_resource(&inner),
		release_resource(&inner));
	pr_info("remove: %d, parent of window %s\n", remove_resource(&around), window.parent->name);
	pr_info("release: %d, contains %d, overlaps %d\n", release_resource(&window), resource_contains(&window, &inner),
		resource_overlaps(&inner, &cut));
	return 0;
}
module_init(resources_init);

static void __exit resources_exit(void)
{
	release_region(0x300, 8);
	release_region(0x308, 8);
}
module_exit(resources_exit);
MODULE_LICENSE("GPL");
