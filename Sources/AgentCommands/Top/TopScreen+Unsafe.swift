// Wingmirror · Apache-2.0
// Control sequences of ECMA-48 and xterm.

import Agent
import Glibc
import Synchronization

/// The terminal of standard output, with the keys of the terminal that the program was started from.
///
/// While it is entered, keys come one by one and are not shown, and the screen is the alternate one, so that `leave` gives
/// back what stood there before. Ctrl-C and Ctrl-Z still send signals, which `TopWatch` turns into events.
final class TopScreen: TopTerminal {
    /// The descriptor of the keyboard; `nil` when there is none.
    let keyboard: Int32?
    let isColoured: Bool
    private let saved = Mutex<termios?>(nil)

    private static let enterSequence = "\u{1B}[?1049h\u{1B}[?25l\u{1B}[?7l\u{1B}[2J"
    private static let leaveSequence = "\u{1B}[0m\u{1B}[?7h\u{1B}[?25h\u{1B}[?1049l"
    private static let usualSize = TerminalSize(columns: 80, rows: 24)

    /// Finds the keyboard.
    init() {
        isColoured = Terminal.style(STDOUT_FILENO).isColoured
        if Terminal.isTerminal(STDIN_FILENO) {
            keyboard = STDIN_FILENO
        } else {
            // Standard input may be a savefile; keys still come from the terminal, if there is one.
            let descriptor = unsafe open("/dev/tty", O_RDONLY | O_CLOEXEC)
            keyboard = descriptor >= 0 ? descriptor : nil
        }
    }

    /// Whether standard output can be drawn on: a terminal that knows control sequences.
    static var isUsable: Bool {
        Terminal.isTerminal(STDOUT_FILENO) && Terminal.environment("TERM") ?? "dumb" != "dumb"
    }

    var size: TerminalSize {
        var size = winsize()
        // The request fills the structure it is given, which outlives the call.
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return Self.usualSize
        }
        return TerminalSize(columns: Int(size.ws_col), rows: Int(size.ws_row))
    }

    func enter() {
        saved.withLock { saved in
            guard saved == nil, let keyboard else { return }
            var settings = termios()
            // The structures outlive the calls.
            guard unsafe tcgetattr(keyboard, &settings) == 0 else { return }
            saved = settings
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO | IEXTEN)
            settings.c_iflag &= ~tcflag_t(IXON | ICRNL)
            unsafe tcsetattr(keyboard, TCSAFLUSH, &settings)
        }
        write(Self.enterSequence)
    }

    func leave() {
        write(Self.leaveSequence)
        saved.withLock { saved in
            guard var settings = saved, let keyboard else { return }
            unsafe tcsetattr(keyboard, TCSADRAIN, &settings)
            saved = nil
        }
    }

    func draw(_ lines: [String]) throws(OctetOutput.Failure) {
        var output = OctetOutput.standardOutput()
        try output.append("\u{1B}[H".utf8)
        for (index, line) in lines.enumerated() {
            // Erased before it is written: after a line that fills the screen the cursor is on its last character.
            try output.append((index == 0 ? "\u{1B}[K" : "\r\n\u{1B}[K").utf8)
            try output.append(line.utf8)
        }
        try output.append("\u{1B}[J".utf8)
        try output.flush()
    }

    /// The C functions are `signal`, `pthread_sigmask` and `raise`.
    func stopProcess() {
        let handler = signal(SIGTSTP, SIG_DFL)
        var stop = sigset_t()
        var before = sigset_t()
        // The structures outlive the calls. A thread of the pool blocks signals; one that it sends to itself while it
        // takes them stops the process before the call returns, and it returns when the shell lets the process go on.
        unsafe sigemptyset(&stop)
        unsafe sigaddset(&stop, SIGTSTP)
        unsafe pthread_sigmask(SIG_UNBLOCK, &stop, &before)
        raise(SIGTSTP)
        unsafe pthread_sigmask(SIG_SETMASK, &before, nil)
        _ = signal(SIGTSTP, handler)
    }

    /// What cannot be written to a terminal that has gone has nobody to see it.
    private func write(_ text: String) {
        var output = OctetOutput.standardOutput()
        do throws(OctetOutput.Failure) {
            try output.append(text.utf8)
            try output.flush()
        } catch {
            return
        }
    }
}
