// Wingmirror · Apache-2.0

#define _GNU_SOURCE

#include "CProcess.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <unistd.h>

int wingmirror_forbid_dumps(void) {
    return prctl(PR_SET_DUMPABLE, 0L, 0L, 0L, 0L);
}

int wingmirror_punch_hole(int descriptor, long start, long length) {
    return fallocate(descriptor, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, start, length);
}

long wingmirror_data_offset(int descriptor, long from) {
    return lseek(descriptor, from, SEEK_DATA);
}

static int describe(posix_spawn_file_actions_t *actions, const char *folder, const int *streams) {
    int error = 0;
    for (int stream = 0; stream < 3 && error == 0; stream++) {
        error = streams[stream] < 0
            ? posix_spawn_file_actions_addopen(actions, stream, "/dev/null", O_RDWR, 0)
            : posix_spawn_file_actions_adddup2(actions, streams[stream], stream);
    }
    if (error == 0) error = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    if (error == 0 && folder) error = posix_spawn_file_actions_addchdir_np(actions, folder);
    return error;
}

int wingmirror_spawn(int *identifier, char *const *words, char *const *environment, const char *folder, const int *streams) {
    posix_spawn_file_actions_t actions;
    int error = posix_spawn_file_actions_init(&actions);
    if (error != 0) return error;
    posix_spawnattr_t attributes;
    error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        sigset_t all, none;
        sigfillset(&all);
        sigemptyset(&none);
        posix_spawnattr_setsigdefault(&attributes, &all);
        posix_spawnattr_setsigmask(&attributes, &none);
        posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
        error = describe(&actions, folder, streams);
        if (error == 0) error = posix_spawnp(identifier, words[0], &actions, &attributes, words, environment);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    return error;
}
