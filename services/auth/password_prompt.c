#include "auth/command.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/scope.h"
#include "base/secret.h"
#include "base/text/str.h"

/* Byte by byte, so that nothing of the secret stays in a buffer of stdio. */
static int
prompt_read_line(char to[PASSWORD_TEXT_MAX + 1], struct err *e)
{
	size_t len = 0;
	char c;

	for (;;) {
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, ERR_INVALID, errno, "standard input");
		if (n == 0 || c == '\n')
			break;
		if (c == '\0' || len == PASSWORD_TEXT_MAX)
			return err_set(e, ERR_INVALID, "a password has at most %d bytes and no NUL",
				       PASSWORD_TEXT_MAX);
		to[len++] = c;
	}
	if (len > 0 && to[len - 1] == '\r')
		len--;
	to[len] = '\0';
	return 0;
}

/* Waits for a line; false when a signal comes first that would end us with the echo switched
 * off. */
static bool
prompt_line_comes(int signals)
{
	struct pollfd fds[2] = { { STDIN_FILENO, POLLIN, 0 }, { signals, POLLIN, 0 } };

	while (poll(fds, 2, -1) < 0 && errno == EINTR)
		;
	return (fds[1].revents & POLLIN) == 0;
}

static int
prompt_ask_silently(const struct termios *before, char to[PASSWORD_TEXT_MAX + 1], struct err *e)
{
	struct termios silent = *before;
	sigset_t ending, old;
	int signals, r;

	silent.c_lflag &= ~(tcflag_t)ECHO;
	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigprocmask(SIG_BLOCK, &ending, &old);
	signals = signalfd(-1, &ending, SFD_CLOEXEC);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
	r = prompt_line_comes(signals) ? prompt_read_line(to, e)
				       : err_set(e, ERR_INVALID, "interrupted");
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, before);
	(void)close(signals);
	(void)fputc('\n', stderr);
	sigprocmask(SIG_SETMASK, &old, NULL); /* a signal that came is delivered here */
	return r;
}

static int
prompt_ask(const char *question, char to[PASSWORD_TEXT_MAX + 1], struct err *e)
{
	struct termios before;

	if (tcgetattr(STDIN_FILENO, &before) != 0)
		return err_errno(e, ERR_INVALID, errno, "terminal");
	(void)fputs(question, stderr);
	(void)fflush(stderr);
	return prompt_ask_silently(&before, to, e);
}

static int
prompt_ask_twice(char to[PASSWORD_TEXT_MAX + 1], struct err *e)
{
	char again[PASSWORD_TEXT_MAX + 1] = "";
	int r;

	if ((r = prompt_ask("Password: ", to, e)) < 0)
		return r;
	r = prompt_ask("Once more: ", again, e);
	if (r == 0 && strcmp(to, again) != 0)
		r = err_set(e, ERR_INVALID, "the two passwords differ");
	memory_wipe(again, sizeof again);
	return r;
}

int
password_prompt(char ret[PASSWORD_TEXT_MAX + 1], struct err *e)
{
	int r = isatty(STDIN_FILENO) ? prompt_ask_twice(ret, e) : prompt_read_line(ret, e);

	if (r < 0)
		return r;
	if (ret[0] == '\0')
		return err_set(e, ERR_INVALID,
			       "the password is empty; type it, or send it on standard input");
	if (!utf8_valid(ret, strlen(ret)))
		return err_set(e, ERR_INVALID, "the password is not UTF-8");
	return 0;
}
