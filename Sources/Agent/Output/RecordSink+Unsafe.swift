// Wingmirror · Apache-2.0

import AgentConfiguration
import Glibc

/// The file, pipe or standard output that records go to: whole lines, at its end, without ever waiting for long.
///
/// A file is opened to append, so that what truncates it (logrotate's `copytruncate`) leaves no hole, and what is in it stays.
/// A pipe without a reader cannot be opened, and one whose reader stands still takes nothing; both are answers, not waits.
struct RecordSink: ~Copyable {
    /// Why nothing was written.
    enum Trouble: Error, Equatable {
        /// The reader is slow: nothing could be written for a moment.
        case busy
        /// The reader of a pipe has gone, or is not there yet.
        case noReader
        /// Anything else, such as a full disk; in the system's words.
        case failed(String)
    }

    /// How long a write waits for a pipe to take something, in milliseconds.
    private static let patience: Int32 = 100
    /// What a pipe that can be written to takes without waiting: PIPE_BUF.
    private static let pipePiece = 4096

    private let descriptor: Int32
    private let isOwned: Bool
    private let status: FileStatus?

    private init(descriptor: Int32, isOwned: Bool) {
        self.descriptor = descriptor
        self.isOwned = isOwned
        status = FileStatus(of: descriptor)
    }

    private var isFile: Bool { status?.isFile ?? false }

    deinit {
        if isOwned { close(descriptor) }
    }

    /// Opens the file at `path`, or standard output for `-`; what a killed run left of a record at its end is cut off.
    ///
    /// The C function is `open`.
    ///
    /// - Parameters:
    ///   - path: The path, or `-`.
    ///   - standardOutput: The descriptor of standard output.
    /// - Returns: The sink, at its end.
    /// - Throws: Why it cannot be opened.
    static func open(_ path: String, standardOutput: Int32 = STDOUT_FILENO) throws(Trouble) -> RecordSink {
        guard path != "-" else { return RecordSink(descriptor: standardOutput, isOwned: false) }
        let isFile = FileStatus(at: path)?.isFile ?? true
        // Opened for reading too, to find the end of the last line; a pipe would have a reader by that.
        let flags = isFile ? O_RDWR | O_CREAT | O_APPEND : O_WRONLY | O_NONBLOCK
        var descriptor = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o640)
        if descriptor < 0, isFile, errno == EACCES {
            descriptor = unsafe Glibc.open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        }
        guard descriptor >= 0 else {
            throw errno == ENXIO ? .noReader : .failed("cannot be written: \(FileContents.systemMessage())")
        }
        let sink = RecordSink(descriptor: descriptor, isOwned: true)
        sink.endPartialLine()
        return sink
    }

    /// The size of a file, in octets; `nil` of a pipe or a device.
    var size: Int? { isFile ? FileStatus(of: descriptor)?.size : nil }

    /// Whether `path` leads to another file by now, or to none.
    ///
    /// A folder that may not be looked into any more, as after privileges were given up, says nothing of that.
    func hasMoved(from path: String) -> Bool {
        guard isFile else { return false }
        guard let there = FileStatus(at: path) else { return errno == ENOENT || errno == ENOTDIR }
        return there.identity != status?.identity
    }

    /// Writes what it can of `octets`, and does not wait for more.
    ///
    /// The C functions are `poll` and `write`.
    ///
    /// - Returns: How many octets were written, at least one.
    func write(_ octets: ArraySlice<UInt8>) throws(Trouble) -> Int {
        var count = octets.count
        if !isFile {
            var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            let ready = unsafe poll(&waiting, 1, Self.patience)
            guard ready > 0 else { throw .busy }
            count = min(count, Self.pipePiece)
        }
        while true {
            // The slice lies within the array's storage, which outlives the call.
            let written = unsafe octets.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, count) }
            if written > 0 { return written }
            switch errno {
            case EINTR: continue
            case EAGAIN: throw .busy
            case EPIPE: throw .noReader
            default: throw .failed("cannot write: \(FileContents.systemMessage())")
            }
        }
    }

    /// Takes `count` octets off the end of a file: the part of a line that was written before the disk was full.
    ///
    /// Standard output is a file that the shell opened, perhaps not to append: it is cut only where this process wrote last at
    /// its end, and then written to from there. Otherwise the next octets would lie behind a hole of NULs, or octets of
    /// another writer would go.
    ///
    /// The C functions are `ftruncate` and `lseek`.
    ///
    /// - Returns: Whether they are gone.
    func takeBack(_ count: Int) -> Bool {
        guard let size, size >= count else { return false }
        let end = off_t(size - count)
        guard !isOwned else { return ftruncate(descriptor, end) == 0 }
        guard lseek(descriptor, 0, SEEK_CUR) == off_t(size), ftruncate(descriptor, end) == 0 else { return false }
        return lseek(descriptor, end, SEEK_SET) == end
    }

    /// Whether a line of which a part was written, and could not be taken back, is finished where it stands.
    var finishesPartialLines: Bool { isFile && !isOwned }

    /// How each record begins.
    private static let beginning = Array("{\"client\":".utf8)

    /// Cuts off what follows the last end of a line, if it is a part of a record; of a file that held something else before,
    /// which was perhaps named by mistake, nothing goes, and what stands there becomes a line.
    ///
    /// The C functions are `pread`, `ftruncate` and `write`.
    private func endPartialLine() {
        guard var end = size, end > 0 else { return }
        let size = end
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while end > 0 {
            let start = max(end - chunk.count, 0)
            // The buffer is the array's own storage, valid for the call, and the count is no larger than it.
            let count = unsafe chunk.withUnsafeMutableBytes {
                unsafe pread(descriptor, $0.baseAddress, end - start, off_t(start))
            }
            guard count == end - start else { return }
            if let last = chunk[..<count].lastIndex(of: UInt8(ascii: "\n")) {
                end = start + last + 1
                break
            }
            end = start
        }
        guard end < size else { return }
        // The buffer is the array's own storage, valid for the call, and longer than what is asked for.
        let count = unsafe chunk.withUnsafeMutableBytes {
            unsafe pread(descriptor, $0.baseAddress, min(size - end, Self.beginning.count), off_t(end))
        }
        guard count > 0 else { return }
        if Self.beginning.starts(with: chunk[..<count]) {
            _ = ftruncate(descriptor, off_t(end))
        } else {
            unsafe _ = Glibc.write(descriptor, "\n", 1)
        }
    }
}

/// Renames finished record files: `records`, `records.1`, `records.2` and so on, the oldest of which is deleted.
enum RecordRotation {
    /// Makes room at `path`; of older files those move on that have to.
    ///
    /// - Parameters:
    ///   - path: The file that is full.
    ///   - kept: How many finished files stay; at least one.
    /// - Throws: `.failed` where a file cannot be renamed: those that were to follow stay where they are, so that none is
    ///   lost by it.
    static func rotate(_ path: String, keeping kept: Int) throws(RecordSink.Trouble) {
        // A place that is free ends the row: a file that can never be renamed would push out all others, one at each attempt.
        let free = (1..<kept).first { FileStatus(at: "\(path).\($0)") == nil } ?? kept
        for number in stride(from: free - 1, through: 1, by: -1) {
            try move("\(path).\(number)", to: "\(path).\(number + 1)")
        }
        try move(path, to: "\(path).1")
    }

    /// Renames a file, if it is there.
    ///
    /// The C function is `rename`.
    private static func move(_ path: String, to name: String) throws(RecordSink.Trouble) {
        guard unsafe rename(path, name) != 0, errno != ENOENT else { return }
        throw .failed("\(path) cannot be renamed: \(FileContents.systemMessage())")
    }
}
