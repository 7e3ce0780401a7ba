/* SPDX-License-Identifier: BSD-2-Clause */
/* DOC: regular expressions over AS paths.
 *
 * Why not regexec(): a path is what somebody far away wrote, a thousand numbers long if he likes. libc's
 * matcher is quadratic where the expression may begin anywhere, and keeps what it learns of each text in
 * memory for good. Here the expression becomes a nondeterministic automaton that is run by following all of
 * its states at once (Thompson, 1968): a text costs at most its length times the automaton's size, which is
 * bounded when it is compiled, and the memory is on the stack.
 *
 * A path's text has fifteen different characters, so a set of characters is a 16-bit mask, and an expression
 * that asks for any other cannot match: that is an error rather than a filter that silently does nothing.
 *
 * The syntax is that of POSIX.1 extended expressions without collating elements and equivalence classes,
 * which no locale has for digits. Where POSIX leaves the meaning undefined ("*" with nothing before it, "{"
 * that opens no count), it is an error. What matched where is not known here: the question is only whether.
 */
#include "policy/as_regex.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/text.h"

#define CODE_MAX  1024 /* instructions of an expression */
#define DEPTH_MAX 32   /* parentheses within one another */

static const char alphabet[] = "0123456789 {}()";
#define SYMBOLS ((unsigned)sizeof(alphabet) - 1)
#define ANY     ((1u << SYMBOLS) - 1)
#define DIGITS  0x3ffu
#define BLANK   (1u << 10)
#define BRACES  (ANY & ~DIGITS & ~BLANK)

enum op {
	OP_SET,   /* one character of @set */
	OP_SPLIT, /* here and at @to */
	OP_JUMP,  /* at @to */
	OP_BEGIN, /* at the beginning of the text only */
	OP_END,   /* at its end only */
	OP_MATCH
};

struct insn {
	uint8_t op;
	uint16_t set; /* OP_SET: mask over the alphabet */
	int16_t to;   /* OP_SPLIT, OP_JUMP: relative to this instruction, so that code may be moved and copied
	               */
};

struct as_regex {
	uint16_t n;
	struct insn code[];
};

/* ---- compiling -------------------------------------------------------------------------------- */

/* Recursive descent; each function leaves the code of what it read at the end of @code. */
struct compiler {
	const char *p;   /* what is still to be read */
	const char *err; /* what is wrong; once set, it stays, and the rest is of no account */
	unsigned depth;
	uint16_t n;
	struct insn code[CODE_MAX];
};

static void fail(struct compiler *c, const char *err)
{
	if (!c->err)
		c->err = err;
}

static bool accept(struct compiler *c, char want)
{
	if (*c->p != want)
		return false;
	c->p++;
	return true;
}

static bool room_for(struct compiler *c, unsigned n)
{
	if (c->n + n > CODE_MAX)
		fail(c, "too large: counts in braces repeat what is before them, up to 1024 steps in all");
	return !c->err;
}

static void emit(struct compiler *c, struct insn i)
{
	if (room_for(c, 1))
		c->code[c->n++] = i;
}

/* @i in front of the code that begins at @at. */
static void insert(struct compiler *c, unsigned at, struct insn i)
{
	if (!room_for(c, 1))
		return;
	memmove(&c->code[at + 1], &c->code[at], (c->n - at) * sizeof(i));
	c->code[at] = i;
	c->n++;
}

/* Once more the @len instructions at @at. */
static void repeat(struct compiler *c, unsigned at, unsigned len)
{
	if (!room_for(c, len))
		return;
	memcpy(&c->code[c->n], &c->code[at], len * sizeof(c->code[0]));
	c->n = (uint16_t)(c->n + len);
}

static int16_t distance(unsigned from, unsigned to)
{
	return (int16_t)((int)to - (int)from);
}

/* The code from @at on becomes optional. */
static void make_optional(struct compiler *c, unsigned at)
{
	insert(c, at, (struct insn){ .op = OP_SPLIT, .to = distance(at, c->n + 1u) });
}

/* The code from @at on may be done again. */
static void make_loop(struct compiler *c, unsigned at)
{
	emit(c, (struct insn){ .op = OP_SPLIT, .to = distance(c->n, at) });
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

/* Mask of one character; 0 when no path has it. */
static unsigned symbol(char ch)
{
	const char *at = ch ? strchr(alphabet, ch) : NULL;

	return at ? 1u << (at - alphabet) : 0;
}

static unsigned symbol_range(unsigned char from, unsigned char to)
{
	unsigned set = 0;

	for (unsigned i = 0; i < SYMBOLS; i++) {
		if ((unsigned char)alphabet[i] >= from && (unsigned char)alphabet[i] <= to)
			set |= 1u << i;
	}
	return set;
}

/* One character of @set. */
static void one_of(struct compiler *c, unsigned set)
{
	if (!set)
		fail(c, "asks for a character that no AS path has: paths are written as numbers with single "
		        "spaces, such as "
		        "65001 65002 {65003 65004}; a whole number is (^| )65001( |$)");
	emit(c, (struct insn){ .op = OP_SET, .set = (uint16_t)set });
}

/* "digit:]" behind "[:". */
static unsigned character_class(struct compiler *c)
{
	static const struct {
		const char *name;
		unsigned set;
	} classes[] = {
		{ "digit:]", DIGITS }, { "alnum:]", DIGITS }, { "xdigit:]", DIGITS },
		{ "space:]", BLANK },  { "blank:]", BLANK },  { "graph:]", DIGITS | BRACES },
		{ "print:]", ANY },    { "punct:]", BRACES }, { "alpha:]", 0 },
		{ "upper:]", 0 },      { "lower:]", 0 },      { "cntrl:]", 0 },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		size_t len = strlen(classes[i].name);

		if (strncmp(c->p, classes[i].name, len) == 0) {
			c->p += len;
			return classes[i].set;
		}
	}
	fail(c, "unknown character class: [:digit:] and [:space:] are those of use here");
	return 0;
}

/* One member of a bracket expression: a class, a character or a range. */
static unsigned bracket_member(struct compiler *c)
{
	unsigned char from, to;

	if (*c->p == '[' && c->p[1] == ':') {
		c->p += 2;
		return character_class(c);
	}
	if (*c->p == '[' && (c->p[1] == '.' || c->p[1] == '=')) {
		fail(c, "[. .] and [= =] have no meaning in an AS path");
		return 0;
	}
	from = to = (unsigned char)*c->p++;
	if (c->p[0] == '-' && c->p[1] != ']' && c->p[1]) {
		to = (unsigned char)c->p[1];
		c->p += 2;
		if (to < from)
			fail(c, "a range in brackets ends before it begins");
	}
	return symbol_range(from, to);
}

static void bracket(struct compiler *c)
{
	bool negated = accept(c, '^');
	unsigned set = 0;

	do {
		if (*c->p)
			set |= bracket_member(c);
		else
			fail(c, "'[' without ']'");
	} while (!c->err && !accept(c, ']'));
	one_of(c, negated ? ANY & ~set : set);
}

static void escape(struct compiler *c)
{
	char ch = *c->p;

	if (is_digit(ch))
		fail(c, "back-references are not supported");
	else if (ch == '\0')
		fail(c, "nothing follows '\\'");
	else
		c->p++;
	one_of(c, symbol(ch));
}

static void alternatives(struct compiler *c);

static void group(struct compiler *c)
{
	if (++c->depth > DEPTH_MAX)
		fail(c, "more than 32 parentheses within one another");
	else
		alternatives(c);
	if (!accept(c, ')'))
		fail(c, "'(' without ')'");
	c->depth--;
}

static void atom(struct compiler *c)
{
	char ch = *c->p++;

	switch (ch) {
	case '(':
		group(c);
		break;
	case '[':
		bracket(c);
		break;
	case '.':
		one_of(c, ANY);
		break;
	case '^':
		emit(c, (struct insn){ .op = OP_BEGIN });
		break;
	case '$':
		emit(c, (struct insn){ .op = OP_END });
		break;
	case '\\':
		escape(c);
		break;
	case ')':
		fail(c, "')' without '('");
		break;
	case '*':
	case '+':
	case '?':
		fail(c, "'*', '+' or '?' with nothing before it to repeat");
		break;
	case '{':
		fail(c, "'{' with nothing before it to repeat; an AS set is \\{65003 65004\\}");
		break;
	default:
		one_of(c, symbol(ch));
	}
}

#define UNBOUNDED UINT16_MAX

/* The code from @at on, @min to @max times: x{2,4} is xxx?x?, x{2,} is xx+. */
static void times(struct compiler *c, unsigned at, unsigned min, unsigned max)
{
	unsigned len = c->n - at, last = at;

	if (max == 0) {
		c->n = (uint16_t)at;
		return;
	}
	for (unsigned i = 1; i < min && !c->err; i++) {
		last = c->n;
		repeat(c, at, len);
	}
	if (max == UNBOUNDED)
		make_loop(c, last);
	for (unsigned i = min ? min : 1; max != UNBOUNDED && i < max && !c->err; i++) {
		last = c->n;
		repeat(c, at, len);
		make_optional(c, last);
	}
	if (min == 0)
		make_optional(c, at);
}

static uint16_t count(struct compiler *c)
{
	unsigned v = 0;

	if (!is_digit(*c->p))
		fail(c,
		     "'{' must be followed by a count such as {2} or {2,4}; an AS set is \\{65003 65004\\}");
	for (; is_digit(*c->p) && v <= CODE_MAX; c->p++)
		v = v * 10 + (unsigned)(*c->p - '0');
	if (v > CODE_MAX)
		fail(c, "a count in braces is above 1024");
	return (uint16_t)v;
}

/* "m}", "m,}" or "m,n}" behind the brace. */
static void interval(struct compiler *c, unsigned at)
{
	uint16_t min = count(c), max = min;

	if (accept(c, ','))
		max = *c->p == '}' ? UNBOUNDED : count(c);
	if (!accept(c, '}'))
		fail(c, "'{' without '}'");
	if (min > max)
		fail(c, "the counts in braces are the wrong way round");
	if (!c->err)
		times(c, at, min, max);
}

/* An atom and what says how often. */
static void piece(struct compiler *c)
{
	unsigned at = c->n;

	atom(c);
	while (!c->err) {
		if (accept(c, '*'))
			times(c, at, 0, UNBOUNDED);
		else if (accept(c, '+'))
			times(c, at, 1, UNBOUNDED);
		else if (accept(c, '?'))
			times(c, at, 0, 1);
		else if (accept(c, '{'))
			interval(c, at);
		else
			return;
	}
}

static bool at_piece(const struct compiler *c)
{
	return *c->p && *c->p != '|' && (*c->p != ')' || c->depth == 0);
}

static void alternatives(struct compiler *c)
{
	unsigned at = c->n, jump;

	while (!c->err && at_piece(c))
		piece(c);
	if (c->err || !accept(c, '|'))
		return;
	insert(c, at, (struct insn){ .op = OP_SPLIT, .to = distance(at, c->n + 2u) });
	jump = c->n;
	emit(c, (struct insn){ .op = OP_JUMP });
	alternatives(c);
	if (!c->err)
		c->code[jump].to = distance(jump, c->n);
}

struct as_regex *as_regex_new(const char *text, char *err, size_t len)
{
	struct compiler c = { .p = text };
	struct text t = text_init(err, len);
	struct as_regex *re = NULL;

	alternatives(&c);
	emit(&c, (struct insn){ .op = OP_MATCH });
	if (!c.err) {
		re = malloc(sizeof(*re) + c.n * sizeof(c.code[0]));
		if (!re)
			fail(&c, "out of memory");
	}
	if (!re) {
		text_str(&t, c.err);
		return NULL;
	}
	re->n = c.n;
	memcpy(re->code, c.code, c.n * sizeof(c.code[0]));
	return re;
}

void as_regex_free(struct as_regex *re)
{
	free(re);
}

/* ---- matching --------------------------------------------------------------------------------- */

/* Where the automaton is: instructions that wait for a character. */
struct states {
	uint16_t n, at[CODE_MAX];
};

struct matcher {
	const struct insn *code;
	const char *begin, *p;   /* the text, and how far it is read */
	uint32_t step;           /* characters read, and one: never 0 */
	uint32_t seen[CODE_MAX]; /* step in which an instruction was last reached */
	uint16_t n, todo[CODE_MAX];
};

static void reach(struct matcher *m, unsigned at)
{
	if (m->seen[at] == m->step)
		return;
	m->seen[at] = m->step;
	m->todo[m->n++] = (uint16_t)at;
}

/* Go from @at wherever no character is needed; what waits for one joins @s. @return whether that is a match.
 */
static bool follow(struct matcher *m, unsigned at, struct states *s)
{
	m->n = 0;
	reach(m, at);
	while (m->n) {
		unsigned here = m->todo[--m->n];
		const struct insn *i = &m->code[here];

		switch ((enum op)i->op) {
		case OP_MATCH:
			return true;
		case OP_SET:
			s->at[s->n++] = (uint16_t)here;
			break;
		case OP_SPLIT:
			reach(m, here + 1);
			reach(m, (unsigned)((int)here + i->to));
			break;
		case OP_JUMP:
			reach(m, (unsigned)((int)here + i->to));
			break;
		case OP_BEGIN:
			if (m->p == m->begin)
				reach(m, here + 1);
			break;
		case OP_END:
			if (*m->p == '\0')
				reach(m, here + 1);
			break;
		}
	}
	return false;
}

/* Read one character: from @now to @next. @return whether that is a match. */
static bool advance(struct matcher *m, const struct states *now, struct states *next)
{
	unsigned set = symbol(*m->p++);

	m->step++;
	next->n = 0;
	for (unsigned i = 0; i < now->n; i++) {
		if ((m->code[now->at[i]].set & set) && follow(m, now->at[i] + 1u, next))
			return true;
	}
	return false;
}

bool as_regex_match(const struct as_regex *re, const char *path)
{
	struct states a, b, *now = &a, *next = &b, *swap;
	struct matcher m;

	m.code = re->code;
	m.begin = m.p = path;
	m.step = 1;
	memset(m.seen, 0, re->n * sizeof(m.seen[0]));
	now->n = 0;
	while (!follow(&m, 0, now)) { /* a match may begin anywhere */
		if (*m.p == '\0')
			return false;
		if (advance(&m, now, next))
			return true;
		swap = now;
		now = next;
		next = swap;
	}
	return true;
}
