// Wingmirror · Apache-2.0

#ifndef WINGMIRROR_C_PROCESS_H
#define WINGMIRROR_C_PROCESS_H

/// Forbids core dumps of the process, and other processes of its user to look into it: `prctl(PR_SET_DUMPABLE, 0)`, which
/// Swift cannot call because it takes a variable number of arguments. Returns 0, or -1 with `errno`.
int wingmirror_forbid_dumps(void);

/// Gives back the memory or blocks of a file before an offset, whose size stays: `fallocate` with FALLOC_FL_PUNCH_HOLE, which
/// is an extension of Linux. Returns 0, or -1 with `errno`.
int wingmirror_punch_hole(int descriptor, long start, long length);

/// The first offset from one on that is no hole: `lseek` with SEEK_DATA. Returns -1 where there is none.
long wingmirror_data_offset(int descriptor, long from);

/// Starts a program by `posix_spawnp`, as a shell would: signals neither ignored nor blocked, and no descriptor but the three.
///
/// `words` and `environment` end with NULL; `folder` is where it runs, or NULL; `streams` are the descriptors for standard
/// input, output and error, below 0 for /dev/null. What describes the rest, `posix_spawn_file_actions_addclosefrom_np` and its
/// like, are extensions of glibc that Swift does not see. Returns 0, or the error.
int wingmirror_spawn(int *identifier, char *const *words, char *const *environment, const char *folder, const int *streams);

#endif
