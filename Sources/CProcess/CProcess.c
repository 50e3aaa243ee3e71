// Wingmirror · Apache-2.0

#define _GNU_SOURCE

#include "CProcess.h"

#include <fcntl.h>
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
