// Wingmirror · Apache-2.0
//
// Looks at sixteen octets at once: one bit for each octet that is of a kind, the lowest for the first. Header only, so that
// the functions are inlined into what calls them. In C because Swift's vectors have no way to gather a mask into a word.
//
// Each function reads the sixteen octets at `octets`, wherever they lie, and nothing else. The functions whose names end in
// `_portable` are what processors without SSE2 use; both forms give the same for any octets, which a test shows.
#ifndef WINGMIRROR_C_OCTET_SCANNING_H
#define WINGMIRROR_C_OCTET_SCANNING_H

#include <stdint.h>
#include <string.h>

// MARK: Words of eight octets

#define WINGMIRROR_EACH(octet) (UINT64_C(0x0101010101010101) * (octet))

/// The eight octets at `octets`, the first in the lowest bits.
static inline uint64_t wingmirror_word(const uint8_t *octets) {
  uint64_t word;
  memcpy(&word, octets, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/// One bit for each octet whose highest bit is set.
static inline uint32_t wingmirror_gather(uint64_t word) {
  // Each mark is moved to a bit of its own in the highest octet of the product; no two meet on the way.
  return (uint32_t)(((word >> 7 & WINGMIRROR_EACH(1)) * UINT64_C(0x0102040810204080)) >> 56);
}

/// The highest bit of each octet that is `limit` or more, which must be in 1...0x80; octets from 0x80 on are.
static inline uint64_t wingmirror_at_least(uint64_t word, uint8_t limit) {
  return ((word & WINGMIRROR_EACH(0x7F)) + WINGMIRROR_EACH(0x80 - limit)) | word;
}

/// The highest bit of each octet that is `octet`.
static inline uint64_t wingmirror_equal(uint64_t word, uint8_t octet) {
  return ~wingmirror_at_least(word ^ WINGMIRROR_EACH(octet), 1);
}

static inline uint64_t wingmirror_within(uint64_t word, uint8_t first, uint8_t last) {
  return wingmirror_at_least(word, first) & ~wingmirror_at_least(word, (uint8_t)(last + 1));
}

static inline uint64_t wingmirror_word_controls(uint64_t word) {
  return (~wingmirror_at_least(word, 0x20) & ~wingmirror_equal(word, 0x09)) | wingmirror_equal(word, 0x7F);
}

static inline uint64_t wingmirror_word_names(uint64_t word) {
  // Octets from 0x80 on stay what they are, and are in none of the ranges.
  uint64_t folded = word | WINGMIRROR_EACH(0x20);
  return wingmirror_within(folded, 'a', 'z') | wingmirror_within(word, '0', '9') | wingmirror_equal(word, '-')
    | wingmirror_equal(word, '_');
}

/// Octets that are control characters other than HTAB: 0x00...0x1F without 0x09, and 0x7F.
static inline uint32_t wingmirror_controls_portable(const uint8_t *octets) {
  return wingmirror_gather(wingmirror_word_controls(wingmirror_word(octets)))
    | wingmirror_gather(wingmirror_word_controls(wingmirror_word(octets + 8))) << 8;
}

/// Octets of the kind that names of fields are mostly made of: letters, digits, `-` and `_`.
static inline uint32_t wingmirror_names_portable(const uint8_t *octets) {
  return wingmirror_gather(wingmirror_word_names(wingmirror_word(octets)))
    | wingmirror_gather(wingmirror_word_names(wingmirror_word(octets + 8))) << 8;
}

/// Octets that are visible characters of ASCII, 0x21...0x7E.
static inline uint32_t wingmirror_visible_portable(const uint8_t *octets) {
  return wingmirror_gather(wingmirror_within(wingmirror_word(octets), 0x21, 0x7E))
    | wingmirror_gather(wingmirror_within(wingmirror_word(octets + 8), 0x21, 0x7E)) << 8;
}

/// Octets that are `octet`.
static inline uint32_t wingmirror_equals_portable(const uint8_t *octets, uint8_t octet) {
  return wingmirror_gather(wingmirror_equal(wingmirror_word(octets), octet))
    | wingmirror_gather(wingmirror_equal(wingmirror_word(octets + 8), octet)) << 8;
}

// MARK: Sixteen octets

#if defined(__SSE2__)

#include <emmintrin.h>

static inline __m128i wingmirror_at_most_16(__m128i block, uint8_t limit) {
  return _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8((char)limit)), block);
}

static inline __m128i wingmirror_equal_16(__m128i block, uint8_t octet) {
  return _mm_cmpeq_epi8(block, _mm_set1_epi8((char)octet));
}

/// As `wingmirror_controls_portable`.
static inline uint32_t wingmirror_controls(const uint8_t *octets) {
  __m128i block = _mm_loadu_si128((const __m128i *)octets);
  __m128i low = _mm_andnot_si128(wingmirror_equal_16(block, 0x09), wingmirror_at_most_16(block, 0x1F));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(low, wingmirror_equal_16(block, 0x7F)));
}

/// As `wingmirror_names_portable`.
static inline uint32_t wingmirror_names(const uint8_t *octets) {
  __m128i block = _mm_loadu_si128((const __m128i *)octets);
  __m128i folded = _mm_or_si128(block, _mm_set1_epi8(0x20));
  __m128i letters = wingmirror_at_most_16(_mm_sub_epi8(folded, _mm_set1_epi8('a')), 25);
  __m128i digits = wingmirror_at_most_16(_mm_sub_epi8(block, _mm_set1_epi8('0')), 9);
  __m128i marks = _mm_or_si128(wingmirror_equal_16(block, '-'), wingmirror_equal_16(block, '_'));
  return (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(letters, digits), marks));
}

/// As `wingmirror_visible_portable`.
static inline uint32_t wingmirror_visible(const uint8_t *octets) {
  __m128i block = _mm_loadu_si128((const __m128i *)octets);
  __m128i visible = wingmirror_at_most_16(_mm_sub_epi8(block, _mm_set1_epi8(0x21)), 0x7E - 0x21);
  return (uint32_t)_mm_movemask_epi8(visible);
}

/// As `wingmirror_equals_portable`.
static inline uint32_t wingmirror_equals(const uint8_t *octets, uint8_t octet) {
  __m128i block = _mm_loadu_si128((const __m128i *)octets);
  return (uint32_t)_mm_movemask_epi8(wingmirror_equal_16(block, octet));
}

#else

static inline uint32_t wingmirror_controls(const uint8_t *octets) { return wingmirror_controls_portable(octets); }
static inline uint32_t wingmirror_names(const uint8_t *octets) { return wingmirror_names_portable(octets); }
static inline uint32_t wingmirror_visible(const uint8_t *octets) { return wingmirror_visible_portable(octets); }
static inline uint32_t wingmirror_equals(const uint8_t *octets, uint8_t octet) {
  return wingmirror_equals_portable(octets, octet);
}

#endif

#endif
