// Wingmirror · Apache-2.0
// libFuzzer as a library: llvm.org/docs/LibFuzzer.html#using-libfuzzer-as-a-library.

#define _GNU_SOURCE

#include "CFuzzer.h"

#include <sys/mman.h>

/// Is there when the program is linked with -sanitize=fuzzer, which Swift cannot ask: it knows no weak symbols of others.
extern int LLVMFuzzerRunDriver(int *argument_count, char ***arguments, cfuzzer_reader reader) __attribute__((weak));

int cfuzzer_run(int argument_count, char **arguments, cfuzzer_reader reader) {
    if (!LLVMFuzzerRunDriver) return -1;
    return LLVMFuzzerRunDriver(&argument_count, &arguments, reader);
}

int cfuzzer_memory_file(void) { return memfd_create("wingmirror-fuzzing", 0); }

/// What libFuzzer's own main would call; it must be there for the program to be linked, and is never used.
int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t count) {
    (void)octets;
    (void)count;
    return 0;
}
