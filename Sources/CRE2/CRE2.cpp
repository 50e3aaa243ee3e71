// Wingmirror · Apache-2.0

#include "CRE2.h"

#include <re2/re2.h>
#include <re2/set.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

struct cre2_pattern {
    cre2_pattern(re2::StringPiece text, const RE2::Options &options) : expression(text, options) {}
    RE2 expression;
};

struct cre2_set {
    explicit cre2_set(const RE2::Options &options) : patterns(options, RE2::ANCHOR_BOTH) {}
    RE2::Set patterns;
    // Nanoseconds that matches have taken beyond what they may, in a bucket that each match drains.
    mutable std::atomic<int64_t> debt{0};
};

namespace {

RE2::Options options_with(int64_t memory) {
    RE2::Options options(RE2::Quiet);
    options.set_max_mem(memory);
    return options;
}

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
    std::unique_ptr<cre2_pattern> pattern(new (std::nothrow) cre2_pattern(piece(text, count), options_with(memory)));
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

extern "C" cre2_set *cre2_set_begin(int64_t memory) { return new (std::nothrow) cre2_set(options_with(memory)); }

extern "C" bool cre2_set_add(cre2_set *set, const char *text, size_t count) {
    return set->patterns.Add(piece(text, count), nullptr) >= 0;
}

extern "C" bool cre2_set_end(cre2_set *set) { return set->patterns.Compile(); }

extern "C" void cre2_set_free(cre2_set *set) { delete set; }

extern "C" int64_t cre2_set_match(
    const cre2_set *set, const uint8_t *text, size_t count, int32_t *numbers, size_t capacity
) {
    using clock = std::chrono::steady_clock;
    // A match of states that are there takes less. What one is charged is bounded, as the thread may have been interrupted.
    constexpr int64_t fixed = 5'000, each = 100, most = 1'000'000, limit = 20'000'000;
    const int64_t debt = set->debt.load(std::memory_order_relaxed);
    if (count > 512 || debt > limit) return -1;
    // Kept by each thread, so that the numbers take no memory for a match.
    thread_local std::vector<int> found;
    RE2::Set::ErrorInfo error{};
    const clock::time_point began = clock::now();
    const bool matched = set->patterns.Match(piece(text, count), &found, &error);
    const int64_t took = std::chrono::duration_cast<std::chrono::nanoseconds>(clock::now() - began).count();
    const int64_t left = debt + std::min(took, most) - fixed - each * static_cast<int64_t>(count);
    set->debt.store(std::max<int64_t>(0, left), std::memory_order_relaxed);
    if (!matched) return error.kind == RE2::Set::kNoError ? 0 : -1;
    std::sort(found.begin(), found.end());
    std::copy_n(found.begin(), std::min(found.size(), capacity), numbers);
    return static_cast<int64_t>(found.size());
}
