// Wingmirror · Apache-2.0

// Foundation brings ICU, and ICU 34 MB of data: names, dates and numbers in all languages, of which this agent formats none. A
// static executable takes the data from an archive, unless something else has its name: this, the header of ICU's data without
// any entry (ICU's unicode/udata.h and ucmndata.h say its shape). Functions of ICU that want data report that there is none.
// Hidden, so that it can never stand in the way of a shared library's data.
//
// The name has ICU's version in it; image.mk asks the toolchain for it. Where it is another, the executable is only larger.

#include <stdint.h>

#ifndef ICU_DATA
#error "ICU_DATA must name the data of the toolchain's ICU, such as icudt76_dat"
#endif

typedef struct {
    uint16_t header_size;
    uint8_t magic[2];
    // UDataInfo.
    uint16_t info_size;
    uint16_t reserved_word;
    uint8_t is_big_endian;
    uint8_t charset_family;
    uint8_t size_of_uchar;
    uint8_t reserved_octet;
    uint8_t data_format[4];
    uint8_t format_version[4];
    uint8_t data_version[4];
    uint8_t padding[8];
    // A table of contents with pointers.
    uint32_t entry_count;
    uint32_t reserved;
} EmptyData;

__attribute__((visibility("hidden"))) const EmptyData ICU_DATA = {
    .header_size = 32,
    .magic = {0xDA, 0x27},
    .info_size = 20,
    .is_big_endian = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__,
    .size_of_uchar = 2,
    .data_format = {'T', 'o', 'C', 'P'},
    .format_version = {1, 0, 0, 0},
};

_Static_assert(sizeof(EmptyData) == 40, "header of 32 octets, and the table's count");
