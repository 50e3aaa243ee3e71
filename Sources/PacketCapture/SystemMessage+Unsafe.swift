// Wingmirror · Apache-2.0

import Glibc

/// What the system calls an error number.
///
/// The C function is `strerror_r`, the one of POSIX, which threads may call at once.
func systemMessage(_ code: CInt) -> String {
    var text = [CChar](repeating: 0, count: 256)
    guard unsafe strerror_r(code, &text, text.count) == 0 else {
        return "error \(code)"
    }
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
