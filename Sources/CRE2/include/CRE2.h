// Wingmirror · Apache-2.0

#ifndef WINGMIRROR_CRE2_H
#define WINGMIRROR_CRE2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// A compiled pattern. Immutable once made, so any thread may match with it.
typedef struct cre2_pattern cre2_pattern;

/// Compiles `count` octets of `text` as Envoy does: RE2 syntax, UTF-8, case-sensitive, nothing logged.
///
/// Returns NULL when the text is no RE2 pattern or its program would need more than `memory` octets; `message`, of at
/// least one octet, then holds RE2's reason, cut to fit and closed with a zero octet.
cre2_pattern *cre2_compile(const char *text, size_t count, int64_t memory, char *message, size_t message_capacity);

/// Ends a pattern; NULL is allowed.
void cre2_free(cre2_pattern *pattern);

/// Whether the whole of `text` matches.
bool cre2_full_match(const cre2_pattern *pattern, const uint8_t *text, size_t count);

/// The number of instructions in the program, which Envoy compares with its limit on regex complexity.
int cre2_program_size(const cre2_pattern *pattern);

/// Patterns that are matched in one pass. Once ended only an atomic count changes, so any thread may match with it.
typedef struct cre2_set cre2_set;

/// Begins a set whose program and states may need `memory` octets together; NULL without memory.
cre2_set *cre2_set_begin(int64_t memory);

/// Adds a pattern, of the same syntax as for `cre2_compile`; its number is the count of those before it. False where it is none.
bool cre2_set_add(cre2_set *set, const char *text, size_t count);

/// Compiles the set; nothing is added afterwards. False where its program would need more than its memory.
bool cre2_set_end(cre2_set *set);

/// Ends a set; NULL is allowed.
void cre2_set_free(cre2_set *set);

/// Which patterns match the whole of `text`: their count, and in ascending order the numbers of at most `capacity` of them.
///
/// Returns -1 where it is better to ask each by itself: for a text of more than 512 octets, where the set's memory does not do,
/// and for good once texts have been such that the set's states do not fit into it. RE2 then makes states anew for each text,
/// which takes many times as long, and unlike with a single pattern never turns to another way.
int64_t cre2_set_match(const cre2_set *set, const uint8_t *text, size_t count, int32_t *numbers, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
