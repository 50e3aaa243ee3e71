// Wingmirror · Apache-2.0

import Agent

/// A terminal that can be drawn on, and made as it was.
protocol TopTerminal: AnyObject, Sendable {
    /// Its size now.
    var size: TerminalSize { get }
    /// Whether colours may be used.
    var isColoured: Bool { get }
    /// Takes the whole screen, and keys one by one.
    func enter()
    /// Makes everything as it was; harmless when it is.
    func leave()
    /// Draws lines from the top of the screen.
    ///
    /// - Throws: When the terminal has gone.
    func draw(_ lines: [String]) throws(OctetOutput.Failure)
    /// Stops the process as the terminal's user asked for, and returns when it goes on.
    func stopProcess()
}

/// How many columns and rows a terminal has.
struct TerminalSize: Sendable, Equatable {
    var columns: Int
    var rows: Int
}
