// Wingmirror · Apache-2.0

#ifndef CFUZZER_H
#define CFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// Reads one input; returns 0.
typedef int (*cfuzzer_reader)(const uint8_t *_Nullable octets, size_t count);

/// Runs libFuzzer with its own options and folders; returns its exit status, or -1 where the program was built without it.
int cfuzzer_run(int argument_count, char *_Nullable *_Nonnull arguments, cfuzzer_reader _Nonnull reader);

/// Opens a file without a name that lies in memory: `memfd_create`, an extension of Linux that Swift does not see.
int cfuzzer_memory_file(void);

#endif
