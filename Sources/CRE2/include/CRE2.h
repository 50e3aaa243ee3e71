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

#ifdef __cplusplus
}
#endif

#endif
