// Wingmirror · Apache-2.0

#ifndef CPAGEASSETS_H
#define CPAGEASSETS_H

#include <stddef.h>
#include <stdint.h>

// The parts of the web page, which the compiler embeds from the files beside page_assets.c. Each function returns the first
// octet of a constant that lives as long as the program, and says how many there are.

const uint8_t *page_head(size_t *count);
const uint8_t *page_style(size_t *count);
const uint8_t *page_body(size_t *count);
const uint8_t *page_script(size_t *count);

#endif
