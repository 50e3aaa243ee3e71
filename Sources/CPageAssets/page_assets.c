// Wingmirror · Apache-2.0

// Swift's own way of embedding writes an array literal, which takes the compiler half a minute for a page of this size;
// `#embed` (C23) takes none, and the files are tracked as dependencies.

#include "CPageAssets.h"

static const uint8_t head[] = {
#embed "head.html"
};

static const uint8_t style[] = {
#embed "page.css"
};

static const uint8_t body[] = {
#embed "body.html"
};

static const uint8_t script[] = {
#embed "page.js"
};

const uint8_t *page_head(size_t *count) {
    *count = sizeof head;
    return head;
}

const uint8_t *page_style(size_t *count) {
    *count = sizeof style;
    return style;
}

const uint8_t *page_body(size_t *count) {
    *count = sizeof body;
    return body;
}

const uint8_t *page_script(size_t *count) {
    *count = sizeof script;
    return script;
}
