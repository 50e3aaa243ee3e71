// Wingmirror · Apache-2.0

#include "CRE2.h"

#include <re2/re2.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string>

struct cre2_pattern {
    cre2_pattern(re2::StringPiece text, const RE2::Options &options) : expression(text, options) {}
    RE2 expression;
};

namespace {

re2::StringPiece piece(const void *octets, size_t count) {
    // RE2 tells an absent text from an empty one by its pointer; an empty Swift buffer may have none.
    return count == 0 ? re2::StringPiece("", 0) : re2::StringPiece(static_cast<const char *>(octets), count);
}

void report(const char *reason, char *message, size_t capacity) {
    const size_t length = std::min(std::strlen(reason), capacity - 1);
    std::memcpy(message, reason, length);
    message[length] = '\0';
}

}  // namespace

extern "C" cre2_pattern *cre2_compile(
    const char *text, size_t count, int64_t memory, char *message, size_t message_capacity
) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(memory);
    std::unique_ptr<cre2_pattern> pattern(new (std::nothrow) cre2_pattern(piece(text, count), options));
    if (!pattern) {
        report("out of memory", message, message_capacity);
        return nullptr;
    }
    if (!pattern->expression.ok()) {
        report(pattern->expression.error().c_str(), message, message_capacity);
        return nullptr;
    }
    return pattern.release();
}

extern "C" void cre2_free(cre2_pattern *pattern) { delete pattern; }

extern "C" bool cre2_full_match(const cre2_pattern *pattern, const uint8_t *text, size_t count) {
    return RE2::FullMatch(piece(text, count), pattern->expression);
}

extern "C" int cre2_program_size(const cre2_pattern *pattern) { return pattern->expression.ProgramSize(); }
