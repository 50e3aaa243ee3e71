// Wingmirror · Apache-2.0

internal import CProcess
import Glibc

/// A program that this one starts and waits for.
///
/// Foundation's `Process` copies 256 octets of each entry of /proc/self/fd, which are more than there are: in a process with some
/// 1,360 descriptors the copy leaves the buffer, and now and then the memory (swift-corelibs-foundation issue 5472, open in
/// Swift 6.3). Here the system closes what the program is not to inherit, and nothing is listed.
///
/// The C functions are `posix_spawnp`, `waitpid`, `waitid` and `kill`; to collect output also `pipe`, `read` and `close`.
@safe
package struct ChildProcess: Sendable {
    /// Why a program could not be started, in the system's words.
    package struct Unavailable: Error, CustomStringConvertible {
        package let description: String
    }

    /// Descriptors that the program has as its standard streams, none below its stream's; /dev/null where there is none.
    package struct Streams {
        package var input: Int32?
        package var output: Int32?
        package var errors: Int32?

        package init(input: Int32? = nil, output: Int32? = nil, errors: Int32? = nil) {
            self.input = input
            self.output = output
            self.errors = errors
        }
    }

    private let identifier: pid_t

    /// Starts a program, without the descriptors of this one and with the usual handling of signals.
    /// - Parameters:
    ///   - words: Its name, which is looked for in PATH, or its path; then its arguments.
    ///   - environment: Its variables; those of this process otherwise.
    ///   - folder: Where it runs; where this process does otherwise.
    ///   - streams: Its standard streams, which stay the caller's to close.
    /// - Throws: The system's reason; a program that is not there is one.
    package init(
        _ words: [String],
        environment: [String: String]? = nil,
        in folder: String? = nil,
        _ streams: Streams = Streams()
    ) throws(Unavailable) {
        guard !words.isEmpty else { throw Unavailable(description: "no program is named") }
        let arguments = CStringList(words)
        let variables = environment.map { CStringList($0.map { "\($0.key)=\($0.value)" }) }
        let descriptors = [streams.input ?? -1, streams.output ?? -1, streams.errors ?? -1]
        var identifier: Int32 = 0
        // Lists and text outlive the call, which copies them.
        let error = withExtendedLifetime((arguments, variables)) {
            unsafe wingmirror_spawn(
                &identifier,
                arguments.pointers,
                variables?.pointers ?? environ,
                folder,
                descriptors
            )
        }
        guard error == 0 else { throw Unavailable(description: unsafe String(cString: strerror(error))) }
        self.identifier = identifier
    }

    /// Runs a program to its end, and collects what it writes to its standard output.
    /// - Parameters:
    ///   - words: Its name, which is looked for in PATH, or its path; then its arguments.
    ///   - environment: Its variables.
    ///   - errors: The descriptor of its standard error.
    /// - Returns: What it wrote, and its exit status as of `waitUntilExit`.
    /// - Throws: The system's reason why it could not be started.
    package static func run(
        _ words: [String],
        environment: [String: String],
        errors: Int32
    ) throws(Unavailable) -> (output: [UInt8], exitStatus: Int32) {
        var ends: [Int32] = [-1, -1]
        // The call fills the two places of the array, which outlives it.
        guard unsafe pipe(&ends) == 0 else {
            throw Unavailable(description: unsafe String(cString: strerror(errno)))
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        let process: ChildProcess
        do {
            // The end would not come while this process can write as well.
            defer { close(writing) }
            process = try ChildProcess(words, environment: environment, Streams(output: writing, errors: errors))
        }
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            // The buffer is the array's own storage, valid for the call, and its count is passed with it.
            let count = unsafe chunk.withUnsafeMutableBytes { unsafe read(reading, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            output += chunk.prefix(count)
        }
        return (output, process.waitUntilExit())
    }

    /// Whether it has not ended yet.
    package var isRunning: Bool {
        var information = unsafe siginfo_t()
        let result = unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOHANG | WNOWAIT)
        // Without news the number of the signal stays 0.
        return result == 0 && (unsafe information.si_signo) == 0
    }

    /// Waits for its end, and leaves it to `waitUntilExit` to take its status: until then its number is nobody else's.
    package func waitUntilEnded() {
        var information = unsafe siginfo_t()
        while unsafe waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) < 0 {
            guard errno == EINTR else { return }
        }
    }

    /// Ends it, whatever it does, while another thread waits for that; not to be called once its status has been taken.
    package func terminate() {
        _ = kill(identifier, SIGKILL)
    }

    /// Waits for its end; to be called once.
    /// - Returns: Its exit status, or the number of the signal that ended it.
    package func waitUntilExit() -> Int32 {
        var status: Int32 = 0
        while unsafe waitpid(identifier, &status, 0) < 0 {
            guard errno == EINTR else { return -1 }
        }
        let signal = status & 0x7F
        return signal == 0 ? status >> 8 & 0xFF : signal
    }

    /// Ends it, whatever it does, and waits for that.
    package func end() {
        terminate()
        _ = waitUntilExit()
    }
}

/// Texts as C wants them: a list of pointers with NULL behind the last.
@safe
private final class CStringList {
    fileprivate let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ texts: [String]) {
        count = texts.count
        unsafe pointers = .allocate(capacity: texts.count + 1)
        for (index, text) in texts.enumerated() { unsafe (pointers + index).initialize(to: strdup(text)) }
        unsafe (pointers + count).initialize(to: nil)
    }

    deinit {
        for index in 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
