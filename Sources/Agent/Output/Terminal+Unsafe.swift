// Wingmirror · Apache-2.0

import Glibc

/// What is known of the terminal behind a descriptor.
package enum Terminal {
    /// Whether the descriptor is a terminal.
    package static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The columns of the terminal; `nil` when it is none or does not say.
    package static func width(_ descriptor: Int32) -> Int? {
        var size = winsize()
        // The request fills the structure it is given, which outlives the call.
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// A variable of the environment, `nil` when it is not set or empty.
    package static func environment(_ name: String) -> String? {
        // The value is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }
}
