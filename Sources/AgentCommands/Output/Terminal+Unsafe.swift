// Wingmirror · Apache-2.0

import Glibc

/// What is known of the terminal behind a descriptor.
enum Terminal {
    /// Whether the descriptor is a terminal.
    static func isTerminal(_ descriptor: Int32) -> Bool {
        isatty(descriptor) == 1
    }

    /// The columns of the terminal; `nil` when it is none or does not say.
    static func width(_ descriptor: Int32) -> Int? {
        var size = winsize()
        // The request fills the structure it is given, which outlives the call.
        guard unsafe ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Colour and width for output to the descriptor: colour only on a terminal, and not when NO_COLOR is set.
    static func style(_ descriptor: Int32) -> TerminalStyle {
        guard isTerminal(descriptor) else { return .plain }
        let isColoured = environment("NO_COLOR") == nil && environment("TERM") != "dumb"
        return TerminalStyle(isColoured: isColoured, width: width(descriptor))
    }

    /// A variable of the environment, `nil` when it is not set or empty.
    static func environment(_ name: String) -> String? {
        // The value is copied at once; nothing here changes the environment.
        guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }
}
