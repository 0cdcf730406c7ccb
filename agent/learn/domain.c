/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "learn/domain.h"

#include <ctype.h>
#include <errno.h>
#include <libpsl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"

/* Where anybody may have a host. Most are known from the private section of the public suffix list
 * too; these are needed where there is no list. Sorted. */
static const char *const platforms[] = {
	"akamai.net",
	"akamaiedge.net",
	"akamaized.net",
	"alicdn.com",
	"aliyuncs.com",
	"amazon.com",
	"amazonaws.com",
	"apple.com",
	"azure.com",
	"azurewebsites.net",
	"cloudflare.com",
	"cloudflare.net",
	"cloudfront.net",
	"digitaloceanspaces.com",
	"dyndns.org",
	"edgekey.net",
	"edgesuite.net",
	"facebook.com",
	"fastly.net",
	"github.com",
	"githubusercontent.com",
	"google.com",
	"googleapis.com",
	"gstatic.com",
	"herokuapp.com",
	"icloud.com",
	"microsoft.com",
	"myqcloud.com",
	"no-ip.com",
	"ntp.org",
	"windows.net",
};

struct domains {
	const psl_ctx_t *list;
	psl_ctx_t *owned;
	char **shared; /* sorted: domains above rules of the private section */
	size_t shared_count;
	size_t shared_capacity;
};

static int compare_strings(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int add_shared(struct domains *domains, const char *domain)
{
	char *copy;

	if (array_reserve(&domains->shared, &domains->shared_capacity, domains->shared_count,
			  sizeof(char *)) < 0)
		return -ENOMEM;
	copy = strdup(domain);
	if (!copy)
		return -ENOMEM;
	domains->shared[domains->shared_count++] = copy;
	return 0;
}

static const char *last_two_labels(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (!dot)
		return NULL;
	while (dot > name && dot[-1] != '.')
		dot--;
	return dot;
}

const char *domain_of(const struct domains *domains, const char *name)
{
	const char *domain =
		domains->list ? psl_registrable_domain(domains->list, name) : last_two_labels(name);

	return domain && strchr(domain, '.') ? domain : NULL;
}

/* "*.compute.amazonaws.com": "amazonaws.com". Asked for are registrable domains alone. */
static int add_rule(struct domains *domains, char *rule)
{
	rule[strcspn(rule, " \t\r\n")] = '\0';
	if (strncmp(rule, "*.", 2) == 0)
		rule += 2;
	else if (*rule == '!')
		rule++;
	for (const char *dot; (dot = strchr(rule, '.')); rule += dot + 1 - rule) {
		const char *above = dot + 1;
		bool again = domains->shared_count > 0 &&
			     strcmp(domains->shared[domains->shared_count - 1], above) == 0;

		if (!again && domain_of(domains, above) == above && add_shared(domains, above) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int read_private_rules(struct domains *domains, const char *path)
{
	_cleanup_(fclosep) FILE *file = fopen(path, "re");
	char line[1024];
	bool in_private = false;

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, "===BEGIN PRIVATE DOMAINS==="))
			in_private = true;
		else if (in_private && line[0] != '/' && line[0] != '\n' &&
			 add_rule(domains, line) < 0)
			return -ENOMEM;
	}
	if (domains->shared_count > 0)
		qsort(domains->shared, domains->shared_count, sizeof(char *), compare_strings);
	return 0;
}

int domains_new(const char *rules_path, struct domains **ret_domains)
{
	struct domains *domains = calloc(1, sizeof(*domains));

	if (!domains)
		return -ENOMEM;
	domains->list = psl_builtin();
	if (!domains->list)
		domains->list = domains->owned = psl_latest(NULL);
	if (read_private_rules(domains, rules_path) < 0) {
		domains_free(domains);
		return -ENOMEM;
	}
	*ret_domains = domains;
	return 0;
}

void domains_free(struct domains *domains)
{
	if (!domains)
		return;
	psl_free(domains->owned);
	for (size_t i = 0; i < domains->shared_count; i++)
		free(domains->shared[i]);
	free(domains->shared);
	free(domains);
}

bool domain_is_shared(const struct domains *domains, const char *domain)
{
	return bsearch(&domain, platforms, array_length(platforms), sizeof(platforms[0]),
		       compare_strings) ||
	       (domains->shared_count > 0 &&
		bsearch(&domain, domains->shared, domains->shared_count, sizeof(char *),
			compare_strings));
}

void domain_number_pattern(const struct domains *domains, const char *name,
			   char ret_pattern[NAME_SIZE])
{
	const char *domain = domain_of(domains, name);
	char *out = ret_pattern;

	snprintf(ret_pattern, NAME_SIZE, "%s", name);
	if (!domain || (domain_is_shared(domains, domain) && strcmp(domain, "ntp.org") != 0))
		return;
	for (const char *in = name; *in && out < ret_pattern + NAME_SIZE - 1; in++) {
		bool digit = in < domain && isdigit((unsigned char)*in);

		if (digit && in > name && isdigit((unsigned char)in[-1]))
			continue;
		*out++ = digit ? '#' : *in;
	}
	*out = '\0';
}
