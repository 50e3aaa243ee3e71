// libpcap, and what a capture needs of Linux beside it.
//
// glibc hides some of it from a program that does not define _GNU_SOURCE, and Swift's Glibc module does not: those
// functions are declared here, as their manual pages have them.
#include <pcap/pcap.h>

#include <bits/types/cookie_io_functions_t.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <pthread.h>
#include <stdio.h>
#include <linux/prctl.h>
#include <sys/eventfd.h>
#include <sys/types.h>

// Variadic, which Swift cannot call.
extern int prctl(int option, ...);
static inline int wingmirror_prctl(int option, unsigned long argument) {
    return prctl(option, argument, 0UL, 0UL, 0UL);
}

extern FILE *fopencookie(void *cookie, const char *mode, cookie_io_functions_t functions);
extern int getresgid(gid_t *real, gid_t *effective, gid_t *saved);
extern int getresuid(uid_t *real, uid_t *effective, uid_t *saved);
extern int pthread_setname_np(pthread_t thread, const char *name);
extern int setresgid(gid_t real, gid_t effective, gid_t saved);
extern int setresuid(uid_t real, uid_t effective, uid_t saved);
