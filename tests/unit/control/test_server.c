/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "control/client.h"
#include "control/protocol.h"
#include "control/server.h"

#define TIMEOUT_MS 5000

static char directory[64];
static char path[96];

/* The server runs in a process of its own; what it counts is shared. */
static struct {
	volatile int gone;
	volatile int peers;
} * shared;

struct service {
	struct control_server *server;
	struct loop *loop;
	struct control_peer *asks_later;
	struct control_peer *follows;
};

static json_t *answer_number(void *context, struct control_peer *peer, const json_t *request)
{
	(void)context;
	(void)peer;
	shared->peers++;
	return json_pack("{s:O}", "number", json_object_get(request, "number"));
}

static json_t *answer_long(void *context, struct control_peer *peer, const json_t *request)
{
	char text[60001];

	(void)context;
	(void)peer;
	(void)request;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	return json_pack("{s:s}", "text", text);
}

static json_t *answer_too_long(void *context, struct control_peer *peer, const json_t *request)
{
	json_t *list = json_array();

	(void)context;
	(void)peer;
	(void)request;
	for (int i = 0; i < 40000; i++)
		json_array_append_new(list, json_integer(i));
	return json_pack("{s:o}", "list", list);
}

static json_t *answer_later(void *context, struct control_peer *peer, const json_t *request)
{
	struct service *service = context;

	(void)request;
	service->asks_later = peer;
	return NULL;
}

static json_t *answer_earlier(void *context, struct control_peer *peer, const json_t *request)
{
	struct service *service = context;

	(void)peer;
	(void)request;
	if (service->asks_later)
		(void)control_answer(service->asks_later, json_pack("{s:i}", "late", 1));
	return control_ok();
}

static json_t *begin_following(void *context, struct control_peer *peer, const json_t *request)
{
	struct service *service = context;

	(void)request;
	service->follows = peer;
	return control_ok();
}

static json_t *tell(void *context, struct control_peer *peer, const json_t *request)
{
	struct service *service = context;
	json_int_t count = json_integer_value(json_object_get(request, "count"));
	char text[2000];

	(void)peer;
	for (json_int_t i = 0; i < count; i++) {
		(void)snprintf(text, sizeof(text), "{\"told\":%d,\"filler\":\"%01000d\"}", (int)i,
			       0);
		if (service->follows)
			(void)control_answer_text(service->follows, text);
	}
	return control_ok();
}

static json_t *end(void *context, struct control_peer *peer, const json_t *request)
{
	struct service *service = context;

	(void)request;
	(void)control_answer(peer, control_ok());
	loop_stop(service->loop, 0);
	return NULL;
}

static const struct control_command commands[] = {
	{"number", false, answer_number},
	{"long", false, answer_long},
	{"too-long", false, answer_too_long},
	{"later", false, answer_later},
	{"earlier", false, answer_earlier},
	{"follow", false, begin_following},
	{"tell", true, tell},
	{"end", true, end},
	{0},
};

static void count_gone(void *context, struct control_peer *peer)
{
	struct service *service = context;

	if (service->asks_later == peer)
		service->asks_later = NULL;
	if (service->follows == peer)
		service->follows = NULL;
	shared->gone++;
}

static void serve(int ready)
{
	struct service service = {0};

	(void)alarm(50);
	if (loop_new(&service.loop) < 0 ||
	    control_server_new(service.loop, path, commands, count_gone, &service, &service.server,
			       NULL) < 0 ||
	    write(ready, "r", 1) != 1)
		_exit(1);
	(void)loop_run(service.loop);
	control_server_free(service.server);
	loop_free(service.loop);
}

static pid_t start_server(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)close(ready[0]);
		serve(ready[1]);
		_exit(0);
	}
	(void)close(ready[1]);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	(void)close(ready[0]);
	return pid;
}

static pid_t server;

static int set_up(void **state)
{
	(void)state;
	(void)snprintf(directory, sizeof(directory), "/tmp/test_server.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	(void)snprintf(path, sizeof(path), "%s/run/control", directory);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	server = start_server();
	return 0;
}

static json_t *ask(const char *request)
{
	struct error error = {0};
	json_t *answer = NULL;

	if (control_ask(path, json_loads(request, 0, NULL), TIMEOUT_MS, &answer, &error) < 0)
		fail_msg("%s", error.message);
	return answer;
}

static int ask_code(const char *request)
{
	json_t *answer = NULL;
	int result = control_ask(path, json_loads(request, 0, NULL), TIMEOUT_MS, &answer, NULL);

	json_decref(answer);
	return result;
}

static int tear_down(void **state)
{
	char inner[96];
	char pid_file[128];
	int status = -1;

	(void)state;
	if (server > 0) {
		json_decref(ask("{\"request\":\"end\"}"));
		(void)waitpid(server, &status, 0);
		if (status != 0)
			return -1;
	}
	(void)munmap(shared, sizeof(*shared));
	(void)unlink(path);
	(void)snprintf(pid_file, sizeof(pid_file), "%s.pid", path);
	(void)unlink(pid_file);
	(void)snprintf(inner, sizeof(inner), "%s/run", directory);
	(void)rmdir(inner);
	return rmdir(directory);
}

static int raw_connection(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct timeval timeout = {.tv_sec = 5};

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	return fd;
}

/* The other side closes: 0 bytes, and not because time ran out. */
static void assert_dropped(int fd)
{
	char byte;
	ssize_t got = recv(fd, &byte, 1, 0);

	assert_true(got == 0 || (got < 0 && errno == ECONNRESET));
	(void)close(fd);
}

static void questions_are_answered(void **state)
{
	json_t *answer = ask("{\"request\":\"number\",\"number\":17}");
	struct stat status;

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(answer, "number")), 17);
	json_decref(answer);
	assert_int_equal(ask_code("{\"request\":\"nothing\"}"), -EREMOTEIO);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode, S_IFSOCK | 0600);
}

static void many_questions_on_one_connection(void **state)
{
	int fd = raw_connection();
	char request[64];
	char answer[64];

	(void)state;
	for (int i = 0; i < 100; i++) {
		(void)snprintf(request, sizeof(request), "{\"request\":\"number\",\"number\":%d}",
			       i);
		assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	}
	for (int i = 0; i < 100; i++) {
		ssize_t got = recv(fd, answer, sizeof(answer) - 1, 0);

		assert_true(got > 0);
		answer[got] = '\0';
		(void)snprintf(request, sizeof(request), "{\"number\":%d}", i);
		assert_string_equal(answer, request);
	}
	(void)close(fd);
}

static void who_sends_too_much_is_dropped(void **state)
{
	int fd = raw_connection();
	char *bytes = calloc(1, CONTROL_MESSAGE_LIMIT + 1);

	(void)state;
	memset(bytes, ' ', CONTROL_MESSAGE_LIMIT + 1);
	assert_int_equal(send(fd, bytes, CONTROL_MESSAGE_LIMIT + 1, 0), CONTROL_MESSAGE_LIMIT + 1);
	assert_dropped(fd);
	free(bytes);
	assert_int_equal(ask_code("{\"request\":\"number\",\"number\":1}"), 0);
}

static void who_sends_a_descriptor_is_dropped(void **state)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec place = {(char[]){"{}"}, 2};
	struct msghdr message = {.msg_iov = &place,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd = raw_connection();

	(void)state;
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(header), &fd, sizeof(fd));
	assert_int_equal(sendmsg(fd, &message, 0), 2);
	assert_dropped(fd);
}

static void who_does_not_read_is_dropped(void **state)
{
	int slow = raw_connection();
	int answers = 0;
	char byte;
	ssize_t got;

	(void)state;
	for (int i = 0; i < 100; i++)
		(void)send(slow, "{\"request\":\"long\"}", 18, MSG_NOSIGNAL);
	/* the others are served meanwhile */
	assert_int_equal(ask_code("{\"request\":\"number\",\"number\":1}"), 0);
	while (shared->gone < 2)
		(void)usleep(1000);
	/* questions that were not read any more: the kernel says so first */
	while ((got = recv(slow, &byte, 1, 0)) > 0 || (got < 0 && errno == ECONNRESET))
		answers += got > 0;
	assert_int_equal(got, 0);
	assert_true(answers >= 2 && answers < 20);
	(void)close(slow);
}

static void an_answer_that_is_too_long_drops(void **state)
{
	(void)state;
	assert_int_equal(ask_code("{\"request\":\"too-long\"}"), -ECONNRESET);
	assert_int_equal(ask_code("{\"request\":\"number\",\"number\":1}"), 0);
}

static void peers_are_bounded(void **state)
{
	int fds[16];

	(void)state;
	for (size_t i = 0; i < 16; i++) {
		char answer[64];

		fds[i] = raw_connection();
		assert_int_equal(send(fds[i], "{\"request\":\"\"}", 14, 0), 14);
		assert_true(recv(fds[i], answer, sizeof(answer), 0) > 0);
	}
	assert_dropped(raw_connection());
	(void)close(fds[3]);
	while (shared->gone < 1)
		(void)usleep(1000);
	assert_int_equal(ask_code("{\"request\":\"number\",\"number\":1}"), 0);
	for (size_t i = 0; i < 16; i++)
		if (i != 3)
			(void)close(fds[i]);
	while (shared->gone < 17)
		(void)usleep(1000);
}

static void answers_may_come_later(void **state)
{
	int fd = raw_connection();
	char answer[32] = {0};

	(void)state;
	assert_int_equal(send(fd, "{\"request\":\"later\"}", 19, 0), 19);
	assert_int_equal(recv(fd, answer, sizeof(answer), MSG_DONTWAIT), -1);
	json_decref(ask("{\"request\":\"earlier\"}"));
	assert_true(recv(fd, answer, sizeof(answer) - 1, 0) > 0);
	assert_string_equal(answer, "{\"late\":1}");
	(void)close(fd);
	/* and the one who asked may be gone by then */
	while (shared->gone < 2)
		(void)usleep(1000);
	fd = raw_connection();
	assert_int_equal(send(fd, "{\"request\":\"later\"}", 19, 0), 19);
	(void)close(fd);
	while (shared->gone < 3)
		(void)usleep(1000);
	json_decref(ask("{\"request\":\"earlier\"}"));
}

struct told {
	int next;
	int until;
	bool began;
};

static bool take_told(void *context, const json_t *message)
{
	struct told *told = context;

	if (!told->began) {
		told->began = true;
		assert_true(json_is_true(json_object_get(message, CONTROL_OK)));
		json_decref(ask("{\"request\":\"tell\",\"count\":200}"));
		return true;
	}
	assert_int_equal(json_integer_value(json_object_get(message, "told")), told->next);
	return ++told->next < told->until;
}

static void followers_get_all_in_order(void **state)
{
	struct told told = {.until = 200};
	struct error error = {0};

	(void)state;
	if (control_follow(path, json_pack("{s:s}", CONTROL_REQUEST, "follow"), take_told, &told,
			   &error) < 0)
		fail_msg("%s", error.message);
	assert_int_equal(told.next, 200);
}

static void a_follower_that_does_not_read_is_dropped(void **state)
{
	int fd = raw_connection();
	char answer[2000];

	(void)state;
	assert_int_equal(send(fd, "{\"request\":\"follow\"}", 20, 0), 20);
	assert_true(recv(fd, answer, sizeof(answer), 0) > 0);
	json_decref(ask("{\"request\":\"tell\",\"count\":1500}"));
	while (shared->gone < 2)
		(void)usleep(1000);
	(void)close(fd);
}

static bool never(void *context, const json_t *message)
{
	(void)context;
	(void)message;
	return true;
}

static void the_end_is_told(void **state)
{
	pid_t child = fork();
	int status;

	(void)state;
	assert_true(child >= 0);
	if (child == 0)
		_exit(-control_follow(path, json_pack("{s:s}", CONTROL_REQUEST, "follow"), never,
				      NULL, NULL));
	while (shared->gone < 0)
		(void)usleep(1000);
	(void)usleep(100000);
	json_decref(ask("{\"request\":\"end\"}"));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), ECONNRESET);
	assert_int_equal(waitpid(server, &status, 0), server);
	server = -1;
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(ask_code("{\"request\":\"number\"}"), -ENOENT);
}

static int take_place(struct error *error)
{
	struct control_server *second;
	struct loop *loop;
	int result;

	assert_int_equal(loop_new(&loop), 0);
	result = control_server_new(loop, path, commands, NULL, NULL, &second, error);
	if (result == 0)
		control_server_free(second);
	loop_free(loop);
	return result;
}

static void one_server_at_a_time(void **state)
{
	struct error error = {0};
	char expected[32];

	(void)state;
	assert_int_equal(take_place(&error), -EADDRINUSE);
	(void)snprintf(expected, sizeof(expected), "process %d ", (int)server);
	assert_non_null(strstr(error.message, expected));
	assert_int_equal(ask_code("{\"request\":\"number\",\"number\":1}"), 0);
}

static void a_dead_server_makes_room(void **state)
{
	int status;

	(void)state;
	(void)kill(server, SIGKILL);
	assert_int_equal(waitpid(server, &status, 0), server);
	server = -1;
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(ask_code("{\"request\":\"number\"}"), -ECONNREFUSED);
	assert_int_equal(take_place(NULL), 0);
}

/* A worker that shares the server's descriptors outlives it, and holds the socket. */
static void a_dead_server_whose_socket_lives_makes_room(void **state)
{
	pid_t holder;
	int holder_pid[2];
	int status;
	int fds[64];
	int count = 0;
	pid_t owner;

	(void)state;
	json_decref(ask("{\"request\":\"end\"}"));
	assert_int_equal(waitpid(server, &status, 0), server);
	server = -1;
	assert_int_equal(pipe(holder_pid), 0);
	owner = fork();
	assert_true(owner >= 0);
	if (owner == 0) {
		struct control_server *kept;
		struct loop *loop;

		if (loop_new(&loop) < 0 ||
		    control_server_new(loop, path, commands, NULL, NULL, &kept, NULL) < 0)
			_exit(1);
		holder = fork();
		if (holder == 0) {
			(void)alarm(30);
			(void)pause();
			_exit(0);
		}
		(void)!write(holder_pid[1], &holder, sizeof(holder));
		(void)pause();
		_exit(0);
	}
	assert_int_equal(read(holder_pid[0], &holder, sizeof(holder)), sizeof(holder));
	assert_int_equal(take_place(NULL), -EADDRINUSE);
	(void)kill(owner, SIGKILL);
	assert_int_equal(waitpid(owner, &status, 0), owner);
	/* the client is told at once that nobody will answer */
	json_t *answer = NULL;
	assert_int_equal(control_ask(path, json_object(), 100, &answer, NULL), -ECONNREFUSED);
	/* with a full queue too */
	while (count < 64) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};

		(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
		fds[count] = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(fds[count++], (struct sockaddr *)&address, sizeof(address)) < 0)
			break;
	}
	assert_true(count < 64);
	assert_int_equal(take_place(NULL), 0);
	while (count > 0)
		(void)close(fds[--count]);
	(void)kill(holder, SIGKILL);
	(void)close(holder_pid[0]);
	(void)close(holder_pid[1]);
}

static void other_files_are_left_alone(void **state)
{
	char kept[96];
	int fd;

	(void)state;
	memcpy(kept, path, sizeof(kept));
	(void)snprintf(path, sizeof(path), "%s/file", directory);
	fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	(void)close(fd);
	assert_true(take_place(NULL) < 0);
	assert_int_equal(unlink(path), 0);
	memset(path, 'x', sizeof(path) - 1);
	memcpy(path, kept, sizeof(kept));
}

/* No descriptors left: nothing spins, nobody is lost for good. */
static void runs_out_of_descriptors(void **state)
{
	struct rlimit before;
	struct rlimit none;
	int first;
	int second;
	char answer[64];

	(void)state;
	assert_int_equal(prlimit(server, RLIMIT_NOFILE, NULL, &before), 0);
	none = (struct rlimit){3, before.rlim_max};
	assert_int_equal(prlimit(server, RLIMIT_NOFILE, &none, NULL), 0);
	first = raw_connection();
	assert_int_equal(send(first, "{\"request\":\"\"}", 14, 0), 14);
	(void)usleep(50000);
	assert_int_equal(recv(first, answer, sizeof(answer), MSG_DONTWAIT), -1);
	assert_int_equal(prlimit(server, RLIMIT_NOFILE, &before, NULL), 0);
	second = raw_connection();
	assert_int_equal(send(second, "{\"request\":\"\"}", 14, 0), 14);
	assert_true(recv(second, answer, sizeof(answer), 0) > 0);
	assert_true(recv(first, answer, sizeof(answer), 0) > 0);
	(void)close(first);
	(void)close(second);
}

#define served(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		served(questions_are_answered),
		served(many_questions_on_one_connection),
		served(who_sends_too_much_is_dropped),
		served(who_sends_a_descriptor_is_dropped),
		served(who_does_not_read_is_dropped),
		served(an_answer_that_is_too_long_drops),
		served(peers_are_bounded),
		served(answers_may_come_later),
		served(followers_get_all_in_order),
		served(a_follower_that_does_not_read_is_dropped),
		served(the_end_is_told),
		served(one_server_at_a_time),
		served(a_dead_server_makes_room),
		served(a_dead_server_whose_socket_lives_makes_room),
		served(other_files_are_left_alone),
		served(runs_out_of_descriptors),
	};

	(void)alarm(55);
	(void)signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
