/* SPDX-License-Identifier: BSD-2-Clause */
/* sandbox.c - DOC: privileges after a start by root outside of systemd.
 *
 * Under systemd the unit has done all of this, and more, before main(): nothing is left to do here. Elsewhere
 * (a container, a shell, another init) root starts us, and we give up the rest ourselves, before a byte from
 * the network is read. What stays: CAP_NET_ADMIN for links, routes and the sysctls below /proc/sys/net, and
 * CAP_NET_BIND_SERVICE for port 179, which a reload may open anew. CAP_NET_RAW is not among them:
 * SO_BINDTODEVICE has not needed it since Linux 5.7.
 *
 * A start that root could do before is never refused for the sake of the sandbox: where the own user could
 * not read the files at the next reload, or not make the socket, we stay root and say so. */
#include "daemon/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/log.h"

#define GROUPS_MAX    64
#define SOCKET_GROUPS 2

static const unsigned network_caps[] = { CAP_NET_ADMIN, CAP_NET_BIND_SERVICE };
/* Of a root that stays root: files of other owners, and the socket for its group. */
static const unsigned file_caps[] = { CAP_DAC_OVERRIDE, CAP_CHOWN };

/** The directory of @path, "." when it names none. */
static void directory_of(const char *path, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		snprintf(out, size, ".");
	else
		snprintf(out, size, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

/** A directory that cannot be made is found out by whoever makes the socket in it. */
static void make_directory(const char *path, const struct passwd *user)
{
	if (mkdir(path, 0755) == 0 && user && chown(path, user->pw_uid, user->pw_gid) < 0)
		log_event(LOGL_WARNING, "sandbox.directory", kv_str("path", path), kv_errno("error", errno));
}

/** A file that is not there is not the sandbox's business. */
static bool readable(const char *file)
{
	return !file || faccessat(AT_FDCWD, file, R_OK, AT_EACCESS) == 0 || errno == ENOENT;
}

static bool secrets_readable(const struct conf *c)
{
	for (size_t i = 0; i < c->n_peers; i++)
		if (!readable(c->peers[i].password_file))
			return false;
	for (size_t i = 0; i < c->n_tunnels; i++) {
		const struct conf_tunnel *t = &c->tunnels[i];

		if (!readable(t->private_key_file))
			return false;
		for (size_t k = 0; k < t->n_peers; k++)
			if (!readable(t->peers[k].preshared_key_file))
				return false;
	}
	return true;
}

static bool reaches(const struct sandbox_needs *n, const char *directory, const char **cause)
{
	if (!readable(n->file))
		*cause = "it cannot read the configuration";
	else if (!secrets_readable(n->conf))
		*cause = "it cannot read a file of keys or a password";
	else if (faccessat(AT_FDCWD, directory, W_OK | X_OK, AT_EACCESS) < 0)
		*cause = "it cannot write the directory of the control socket";
	else
		return true;
	return false;
}

/** Asks the system in the user's place instead of second-guessing modes, lists and mounts. The supplementary
 * groups are the user's already. */
static bool user_reaches(const struct passwd *user, const struct sandbox_needs *n, const char *directory,
                         const char **cause)
{
	bool yes = false;

	*cause = "this process may not become it";
	if (setegid(user->pw_gid) == 0 && seteuid(user->pw_uid) == 0)
		yes = reaches(n, directory, cause);
	if (seteuid(0) < 0 || setegid(0) < 0)
		*cause = NULL; /* neither here nor there */
	return yes;
}

/** Groups of @user, and those that the control sockets go to: an owner may give a file to its own groups. */
static int take_groups(const struct passwd *user, const struct conf_control *c)
{
	const char *const names[SOCKET_GROUPS] = { c->group, c->readonly_group };
	gid_t groups[GROUPS_MAX + SOCKET_GROUPS];
	int n = GROUPS_MAX;

	if (getgrouplist(user->pw_name, user->pw_gid, groups, &n) < 0)
		return -E2BIG;
	for (size_t i = 0; i < SOCKET_GROUPS; i++) {
		const struct group *g = names[i] ? getgrnam(names[i]) : NULL;

		if (g)
			groups[n++] = g->gr_gid;
	}
	return setgroups((size_t)n, groups) < 0 ? -errno : 0;
}

/** Permit what of @caps the process has; what it lacks is named by the system call that needs it. */
static void permit(const unsigned *caps, size_t n, const bool *had)
{
	for (size_t i = 0; i < n; i++)
		if (had[caps[i]])
			capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, caps[i]);
}

static int drop(const struct passwd *user)
{
	bool had[CAP_LAST_CAP + 1];
	int rc;

	if (capng_get_caps_process() < 0)
		return -EPERM;
	for (unsigned c = 0; c <= CAP_LAST_CAP; c++)
		had[c] = capng_have_capability(CAPNG_PERMITTED, c);
	capng_clear(CAPNG_SELECT_ALL);
	permit(network_caps, sizeof(network_caps) / sizeof(network_caps[0]), had);
	if (user) {
		rc = capng_change_id((int)user->pw_uid, (int)user->pw_gid,
		                     CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
	} else {
		permit(file_caps, sizeof(file_caps) / sizeof(file_caps[0]), had);
		/* A container may have taken CAP_SETPCAP, without which the bounding set stays. */
		rc = capng_apply(had[CAP_SETPCAP] ? CAPNG_SELECT_ALL : CAPNG_SELECT_CAPS);
	}
	if (rc < 0)
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

static int refused(int rc)
{
	log_event(LOGL_ERROR, "sandbox.refused", kv_errno("error", rc),
	          kv_str("mend", "start mcbgpd by its unit or as its own user, with CAP_NET_ADMIN and "
	                         "CAP_NET_BIND_SERVICE"));
	return rc;
}

int sandbox_enter(const struct sandbox_needs *n)
{
	const struct passwd *user;
	const char *cause = "there is no such user";
	char directory[4096];
	int rc;

	if (geteuid() != 0)
		return 0;
	user = getpwnam(SANDBOX_USER);
	directory_of(n->socket, directory, sizeof(directory));
	make_directory(directory, user);
	if (user && take_groups(user, &n->conf->control) < 0) {
		cause = "this process may not take its groups";
		user = NULL;
	}
	if (user && !user_reaches(user, n, directory, &cause)) {
		if (!cause)
			return refused(-EPERM);
		user = NULL;
	}
	rc = drop(user);
	if (rc < 0)
		return refused(rc);
	if (!user)
		log_event(LOGL_INFO, "sandbox.root", kv_str("user", SANDBOX_USER), kv_str("cause", cause));
	return 0;
}

bool sandbox_may_change_network(void)
{
	return capng_get_caps_process() == 0 && capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
}

int sandbox_give(const char *file)
{
	const struct passwd *user = geteuid() == 0 ? getpwnam(SANDBOX_USER) : NULL;

	return user && lchown(file, user->pw_uid, user->pw_gid) < 0 ? -errno : 0;
}
