/* SPDX-License-Identifier: BSD-2-Clause */
/* test_key.c - key files: made for their owner alone, refused when anybody else may look. */
#include "tunnel/key.h"

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* RFC 7748 6.1: Alice's keys */
#define PRIVATE "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo="
#define PUBLIC  "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo="

static char folder[] = "/tmp/test_key.XXXXXX";
static char path[64];

static void start(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/key", folder);
}

static void finish(void)
{
	unlink(path);
	rmdir(folder);
}

static void put(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	ck_assert_int_eq(chmod(path, mode), 0);
}

START_TEST(public_key_is_that_of_the_rfc)
{
	uint8_t private_key[KEY_BYTES], public_key[KEY_BYTES];
	char text[KEY_STRLEN];

	ck_assert(key_parse(PRIVATE, private_key));
	key_public(private_key, public_key);
	ck_assert_str_eq(key_print(public_key, text), PUBLIC);
}
END_TEST

START_TEST(made_for_its_owner_and_never_overwritten)
{
	uint8_t key[KEY_BYTES], again[KEY_BYTES];
	const char *why;
	struct stat st;

	start();
	umask(0);
	ck_assert_int_eq(key_create(path), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(key_load(path, key, &why), 0);
	ck_assert_int_eq(key_create(path), -EEXIST);
	ck_assert_int_eq(key_load(path, again, &why), 0);
	ck_assert(key_equal(key, again));
	ck_assert_int_eq(key[0] & 7, 0);
	ck_assert_int_eq(key[31] & 0xc0, 0x40);
	finish();
}
END_TEST

static const struct {
	const char *what, *text;
	mode_t mode;
	int rc;
	const char *why;
} files[] = {
	{ "right", PRIVATE "\n", 0600, 0, NULL },
	{ "read-only", PRIVATE "\n", 0400, 0, NULL },
	{ "no newline", PRIVATE, 0600, 0, NULL },
	{ "CR and LF", PRIVATE "\r\n", 0600, 0, NULL },
	{ "others may read", PRIVATE "\n", 0604, -EACCES, "can be read or written by others" },
	{ "the group may read", PRIVATE "\n", 0640, -EACCES, "can be read or written by others" },
	{ "others may write", PRIVATE "\n", 0602, -EACCES, "can be read or written by others" },
	{ "empty", "", 0600, -EINVAL, "holds no key" },
	{ "too short", "AAAA\n", 0600, -EINVAL, "holds no key" },
	{ "too long", PRIVATE "A\n", 0600, -EINVAL, "holds no key" },
	{ "no base64", "!!!!CnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n", 0600, -EINVAL, "holds no key" },
};

START_TEST(files_are_taken_or_refused)
{
	uint8_t key[KEY_BYTES];
	const char *why;

	start();
	put(files[_i].text, files[_i].mode);
	ck_assert_msg(key_load(path, key, &why) == files[_i].rc, "%s", files[_i].what);
	ck_assert_msg(!files[_i].why || strstr(why, files[_i].why) == why, "%s: %s", files[_i].what, why);
	finish();
}
END_TEST

START_TEST(absent_says_how_to_make_one)
{
	uint8_t key[KEY_BYTES];
	const char *why;

	start();
	ck_assert_int_eq(key_load(path, key, &why), -ENOENT);
	ck_assert_msg(strstr(why, "--genkey"), "%s", why);
	finish();
}
END_TEST

START_TEST(no_plain_file_is_no_key)
{
	uint8_t key[KEY_BYTES];
	const char *why;

	start();
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(key_load(path, key, &why), -EACCES);
	ck_assert_str_eq(why, "is no plain file");
	ck_assert_int_eq(key_load("/dev/null", key, &why), -EACCES);
	ck_assert_int_eq(key_load("/", key, &why), -EACCES);
	finish();
}
END_TEST

UNIT_MAIN("key", UNIT(public_key_is_that_of_the_rfc), UNIT(made_for_its_owner_and_never_overwritten),
          UNIT_ROWS(files_are_taken_or_refused, files), UNIT(absent_says_how_to_make_one),
          UNIT(no_plain_file_is_no_key))
