/* What ZooKeeper's C client can do, then writes and reads for some seconds while members are killed: nothing that was
 * acknowledged may be missing, and the session and its ephemeral must live on. Needs libzookeeper-mt-dev.
 *
 *   gcc -o client client.c -lzookeeper_mt && ./client HOST:PORT,... SECONDS
 */
#define THREADED
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zookeeper/zookeeper.h>

static zhandle_t *zh;
static volatile int session_events, events;

static void watcher(zhandle_t *z, int type, int state, const char *path, void *context) {
    if (type == ZOO_SESSION_EVENT) {
        session_events++;
        fprintf(stderr, "session event, state %d\n", state);
    } else {
        events++;
    }
}

static void expect(const char *what, int wanted, int code) {
    if (code != wanted) {
        printf("%s: %s instead of %s\n", what, zerror(code), zerror(wanted));
        exit(1);
    }
}

static int again(int code) {
    return code == ZCONNECTIONLOSS || code == ZOPERATIONTIMEOUT;
}

static void functions(void) {
    char text[512];
    char path[64];
    int length;
    struct Stat stat;
    struct String_vector children;
    struct ACL_vector acl;
    zoo_op_t ops[3];
    zoo_op_result_t results[3];
    struct ACL_vector *open = &ZOO_OPEN_ACL_UNSAFE;

    expect("create", ZOK, zoo_create(zh, "/c", "x", 1, open, 0, text, 512));
    expect("create again", ZNODEEXISTS, zoo_create(zh, "/c", "x", 1, open, 0, text, 512));
    expect("create2", ZOK, zoo_create2(zh, "/c/s-", "abc", 3, open, ZOO_SEQUENCE, text, 512, &stat));
    expect("ephemeral", ZOK, zoo_create(zh, "/c/e", 0, -1, open, ZOO_EPHEMERAL, text, 512));
    expect("container", ZOK, zoo_create(zh, "/c/k", 0, -1, open, ZOO_CONTAINER, text, 512));
    expect("ttl, which is off", ZUNIMPLEMENTED,
           zoo_create_ttl(zh, "/c/t", 0, -1, open, ZOO_PERSISTENT_WITH_TTL, 1000, text, 512));
    length = 512;
    expect("get", ZOK, zoo_get(zh, "/c/e", 0, text, &length, &stat));
    expect("null data", -1, length);
    expect("exists", ZNONODE, zoo_wexists(zh, "/c/later", watcher, 0, &stat));
    expect("later", ZOK, zoo_create(zh, "/c/later", "", 0, open, 0, text, 512));
    length = 512;
    expect("get", ZOK, zoo_wget(zh, "/c/later", watcher, 0, text, &length, &stat));
    expect("remove watches", ZOK, zoo_remove_all_watches(zh, "/c/later", ZWATCHTYPE_ANY, 0));
    expect("delete", ZOK, zoo_delete(zh, "/c/later", -1));
    expect("set", ZBADVERSION, zoo_set(zh, "/c", "y", 1, 9));
    expect("children", ZOK, zoo_get_children2(zh, "/c", 0, &children, &stat));
    expect("acl", ZOK, zoo_get_acl(zh, "/c", &acl, &stat));
    expect("auth", ZOK, zoo_add_auth(zh, "digest", "u:p", 3, 0, 0));
    expect("mine", ZOK, zoo_create(zh, "/c/mine", "x", 1, &ZOO_CREATOR_ALL_ACL, 0, text, 512));
    expect("set acl", ZOK, zoo_set_acl(zh, "/c/mine", -1, &ZOO_READ_ACL_UNSAFE));
    expect("set", ZNOAUTH, zoo_set(zh, "/c/mine", "y", 1, -1));
    zoo_create_op_init(&ops[0], "/c/m", "1", 1, open, 0, path, 64);
    zoo_check_op_init(&ops[1], "/c", 0);
    zoo_delete_op_init(&ops[2], "/c/m", -1);
    expect("multi", ZOK, zoo_multi(zh, 3, ops, results));
    zoo_check_op_init(&ops[1], "/c", 7);
    expect("multi", ZBADVERSION, zoo_multi(zh, 3, ops, results));
    expect("its last part", ZRUNTIMEINCONSISTENCY, results[2].err);
    length = 512;
    expect("config", ZOK, zoo_getconfig(zh, 0, text, &length, &stat));
    expect("reconfig, which is off", ZRECONFIGDISABLED,
           zoo_reconfig(zh, "server.4=127.0.0.1:1:2", 0, 0, -1, text, &length, &stat));
    expect("events", 1, events);
}

static long load(int seconds) {
    time_t end = time(0) + seconds;
    long writes = 0, losses = 0, missing = 0;
    char path[64];
    char text[64];
    int code, length;
    struct Stat stat;
    for (; time(0) < end; writes++) {
        int tries = 0;
        sprintf(path, "/c/n%ld", writes);
        while (again(code = zoo_create(zh, path, "0123456789", 10, &ZOO_OPEN_ACL_UNSAFE, 0, 0, 0))) {
            tries++;
            usleep(20000);
        }
        losses += tries;
        expect(path, ZOK, tries > 0 && code == ZNODEEXISTS ? ZOK : code);
        do {
            length = 64;
            code = zoo_get(zh, path, 0, text, &length, &stat);
        } while (again(code));
        missing += code != ZOK;
    }
    for (long i = 0; i < writes; i++) {
        sprintf(path, "/c/n%ld", i);
        while (again(code = zoo_exists(zh, path, 0, &stat))) {
        }
        missing += code != ZOK;
    }
    while (again(code = zoo_exists(zh, "/c/e", 0, &stat))) {
    }
    expect("the ephemeral afterwards", ZOK, code);
    printf("%ld writes, %ld lost connections, %ld missing, %d session events\n", writes, losses, missing, session_events);
    return missing;
}

int main(int count, char **arguments) {
    long missing;
    zoo_set_debug_level(ZOO_LOG_LEVEL_ERROR);
    zh = zookeeper_init(arguments[1], watcher, 20000, 0, 0, 0);
    for (int i = 0; i < 200 && zoo_state(zh) != ZOO_CONNECTED_STATE; i++) {
        usleep(100000);
    }
    functions();
    printf("all functions did as they should\n");
    missing = load(atoi(arguments[2]));
    expect("close", ZOK, zookeeper_close(zh));
    return missing != 0;
}
