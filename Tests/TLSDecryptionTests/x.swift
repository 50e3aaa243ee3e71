// Wingmirror · Apache-2.0

import Testing

@testable import TLSDecryption
