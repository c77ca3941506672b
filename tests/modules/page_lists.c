// Pages that are given back many at once: those that somebody still holds stay.
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>

#define PAGES 3

static int __init page_lists_init(void)
{
	struct page *array[PAGES], *kept, *compound;
	LIST_HEAD(list);
	int i;

	for (i = 0; i < PAGES; i++)
		array[i] = alloc_page(GFP_KERNEL);
	kept = array[1];
	get_page(kept);
	release_pages(array, PAGES);
	pr_info("kept: %d reference\n", page_count(kept));

	list_add(&kept->lru, &list);
	compound = alloc_pages(GFP_KERNEL | __GFP_COMP, 2);
	list_add(&compound->lru, &list);
	for (i = 0; i < PAGES; i++)
		list_add(&alloc_page(GFP_KERNEL)->lru, &list);
	put_pages_list(&list);
	pr_info("the list is %s\n", list_empty(&list) ? "empty" : "not empty");
	return 0;
}

static void __exit page_lists_exit(void)
{
}

module_init(page_lists_init);
module_exit(page_lists_exit);
MODULE_LICENSE("GPL");
