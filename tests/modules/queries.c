// SPDX-License-Identifier: MIT
// Questions about modules, sections, mappings, errors and classes of tasks.
#include <linux/module.h>
#include <linux/delay.h>
#include <linux/errname.h>
#include <linux/kthread.h>
#include <linux/kmemleak.h>
#include <linux/kmod.h>
#include <linux/mm.h>
#include <linux/percpu-refcount.h>
#include <linux/sched.h>
#include <linux/sched/debug.h>
#include <linux/sched/loadavg.h>
#include <linux/sched/types.h>
#include <linux/set_memory.h>
#include <linux/sched/task.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/sections.h>
#include <asm/pgtable.h>
#include <asm/tlbflush.h>

static int order[3], runs;

int queries_exported(int x)
{
	return x + 1;
}
EXPORT_SYMBOL_GPL(queries_exported);

static void modules(void)
{
	int (*fn)(int);
	struct module *m;

	pr_info("find_module: %d %d\n", find_module("queries") == THIS_MODULE, find_module("nobody") == NULL);
	m = __module_address((unsigned long)&order);
	pr_info("data: %d, text: %d, is text: %d %d\n", m == THIS_MODULE,
		__module_text_address((unsigned long)modules) == THIS_MODULE,
		is_module_text_address((unsigned long)modules), is_module_text_address((unsigned long)&order));
	pr_info("kernel: %d %d\n", is_module_address((unsigned long)_stext), is_module_address((unsigned long)&m));
	pr_info("refcount: %d\n", module_refcount(THIS_MODULE));
	fn = symbol_get(queries_exported);
	pr_info("symbol_get: %d, refcount %d\n", fn ? fn(41) : -1, module_refcount(THIS_MODULE));
	symbol_put(queries_exported);
	pr_info("put: refcount %d, unknown %d, kernel's %d\n", module_refcount(THIS_MODULE),
		__symbol_get("no_such_symbol") == NULL, __symbol_get("vmalloc") == (void *)vmalloc);
	pr_info("request_module: %d\n", request_module("lab-%d", 1));
	print_modules();
}

static void mappings(void)
{
	unsigned int level;
	char *p = vmalloc(PAGE_SIZE);
	struct vm_struct *area = find_vm_area(p);
	pte_t *pte;

	pr_info("sections: %d %d %d\n", _text <= _stext && _stext < _etext, _sdata < _edata, _edata <= _end);
	pr_info("memory: %d %d\n", max_mapnr == max_low_pfn, high_memory == __va(max_mapnr << PAGE_SHIFT));
	pr_info("area: %d, pages %u, size %lu, kernel's pages %d\n", area->addr == p, area->nr_pages,
		get_vm_area_size(area), vmalloc_nr_pages() > 0);
	pr_info("nowhere: %d\n", find_vm_area(p + 0x100000) == NULL);
	pte = lookup_address((unsigned long)p, &level);
	pr_info("entry: %d, level %u, writable %d, executable %d\n", pte_present(*pte), level, pte_write(*pte),
		pte_exec(*pte));
	pr_info("read-only: %d, writable %d\n", set_memory_ro((unsigned long)p, 1), pte_write(*pte));
	pr_info("copy refused: %ld\n", copy_to_kernel_nofault(p, "x", 1));
	pr_info("read-write: %d, writable %d\n", set_memory_rw((unsigned long)p, 1), pte_write(*pte));
	p[0] = 1;
	pr_info("executable: %d %d\n", set_memory_x((unsigned long)p, 1), pte_exec(*pte));
	pr_info("not: %d %d\n", set_memory_nx((unsigned long)p, 1), pte_exec(*pte));
	flush_tlb_all();
	pr_info("gone: %d\n", lookup_address((unsigned long)p + 0x40000000000UL, &level) == NULL);
	area = remove_vm_area(p);
	pr_info("removed: %d\n", area->addr == p);
	for (unsigned int i = 0; i < area->nr_pages; i++)
		__free_page(area->pages[i]);
	kvfree(area->pages);
	kfree(area);
}

static void released(struct percpu_ref *ref)
{
	pr_info("released\n");
}

static void references(void)
{
	struct percpu_ref ref;

	pr_info("init: %d\n", percpu_ref_init(&ref, released, 0, GFP_KERNEL));
	percpu_ref_get(&ref);
	percpu_ref_kill(&ref);
	pr_info("dying %d, live get %d, get %d\n", percpu_ref_is_dying(&ref), percpu_ref_tryget_live(&ref),
		percpu_ref_tryget(&ref));
	percpu_ref_put(&ref);
	percpu_ref_put(&ref);
	pr_info("zero %d, get %d\n", percpu_ref_is_zero(&ref), percpu_ref_tryget(&ref));
	percpu_ref_exit(&ref);
	kmemleak_not_leak(&ref);
}

static int worker(void *data)
{
	order[runs++] = (long)data;
	return 0;
}

static void classes(void)
{
	struct sched_param param = { .sched_priority = 120 };
	struct task_struct *t[3];
	struct cpumask mask;

	for (long i = 0; i < 3; i++) {
		t[i] = kthread_create(worker, (void *)i, "worker/%ld", i);
		get_task_struct(t[i]);
	}
	sched_set_fifo_low(t[1]);
	sched_set_fifo(t[2]);
	set_user_nice(t[0], 5);
	pr_info("nice %d, prio %d %d %d, policy %u\n", task_nice(t[0]), task_prio(t[0]), task_prio(t[1]),
		task_prio(t[2]), t[2]->policy);
	pr_info("bad: %d\n", sched_setscheduler(t[0], SCHED_FIFO, &param));
	cpumask_clear(&mask);
	pr_info("no CPU: %d\n", set_cpus_allowed_ptr(t[0], &mask));
	cpumask_set_cpu(0, &mask);
	pr_info("one CPU: %d, on %u, may use %d\n", set_cpus_allowed_ptr(t[0], &mask), task_cpu(t[0]),
		t[0]->nr_cpus_allowed);
	for (int i = 0; i < 3; i++)
		wake_up_process(t[i]);
	msleep(10);
	pr_info("order: %d %d %d\n", order[0], order[1], order[2]);
	for (int i = 0; i < 3; i++)
		put_task_struct(t[i]);
	pr_info("idle: %d, load %d\n", idle_cpu(task_cpu(current)), avenrun[0] < FIXED_1);
}

static int __init queries_init(void)
{
	pr_info("%s %s %d\n", errname(-ENOMEM), errname(EINVAL), errname(9999) == NULL);
	modules();
	mappings();
	references();
	classes();
	return 0;
}
module_init(queries_init);

static void __exit queries_exit(void)
{
}
module_exit(queries_exit);
MODULE_LICENSE("GPL");
