// Wingmirror · Apache-2.0
//
// Counts calls of the C allocator in a program that links this: see AllocationCounter.c. For benchmarks only.
#ifndef WINGMIRROR_C_ALLOCATION_COUNTER_H
#define WINGMIRROR_C_ALLOCATION_COUNTER_H

/// Calls so far that asked for memory, from any library; exact in a program of one thread.
long wingmirror_allocation_calls(void);

#endif
