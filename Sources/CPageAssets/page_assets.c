// Wingmirror · Apache-2.0

// Swift's own way of embedding writes an array literal, which takes the compiler half a minute for a page of this size;
// `#embed` (C23) takes none, and the files are tracked as dependencies. Parts follow one another in the order given here.

// The compiler has #embed, and says that C23 is where it comes from.
#pragma clang diagnostic ignored "-Wc23-extensions"

#include "CPageAssets.h"

static const uint8_t head[] = {
#embed "Page/head.html"
};

static const uint8_t style[] = {
#embed "Page/style/palette.css"
,
#embed "Page/style/layout.css"
,
#embed "Page/style/tables.css"
,
#embed "Page/style/charts.css"
};

static const uint8_t body[] = {
#embed "Page/body.html"
};

static const uint8_t script[] = {
#embed "Page/script/text.js"
,
#embed "Page/script/elements.js"
,
#embed "Page/script/charts.js"
,
#embed "Page/script/tables.js"
,
#embed "Page/script/exchanges.js"
,
#embed "Page/script/explain.js"
,
#embed "Page/script/agent.js"
,
#embed "Page/script/routes.js"
,
#embed "Page/script/route.js"
,
#embed "Page/script/coverage.js"
,
#embed "Page/script/shadow.js"
,
#embed "Page/script/truth.js"
,
#embed "Page/script/link.js"
,
#embed "Page/script/main.js"
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
