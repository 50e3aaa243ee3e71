// Wingmirror · Apache-2.0

import CPcap
import Glibc

/// The octets of a savefile from a file or a pipe, decompressed when they are gzip data.
///
/// It is used by one thread at a time and is not `Sendable`: by that of its reader or, where a file is read ahead, by
/// those that ``ReadAhead`` lets at it, one after another.
@safe
final class StoredOctets {
    /// How the file is called in messages.
    let name: String
    /// The size of the file as stored; `nil` for what has no size, such as a pipe.
    let totalOctets: Int?
    /// Octets read from the file as stored.
    private(set) var octetsRead = 0
    /// What went wrong, if anything did.
    private(set) var failure: String?
    /// Whether a stop ended a pipe, so that what is cut short there is no damage.
    private(set) var wasStopped = false

    private let descriptor: CInt
    private let ownsDescriptor: Bool
    /// Waits for what has no size, such as a pipe; `nil` to wait in the kernel.
    private let pipe: PipeWait?
    private var inflate: InflateStream?
    /// Octets read from the file and not yet given out or decompressed.
    private var pending: UnsafeMutableRawBufferPointer
    private var pendingRange = 0..<0
    private var isAtEnd = false

    /// Opens a savefile and finds out whether it is gzip data.
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - bufferOctets: How much to read at once.
    ///   - pipe: Waits for octets of a pipe.
    /// - Throws: `.noSuchFile`, `.isDirectory`, `.unreadable`, `.emptyFile`, or `.stopped`.
    init(path: String, bufferOctets: Int, pipe: PipeWait?) throws(CaptureError) {
        ownsDescriptor = path != "-"
        name = ownsDescriptor ? path : "standard input"
        // A named pipe would keep the call until somebody writes to it; where pipes are waited for, that is done below.
        let waiting = pipe == nil ? 0 : O_NONBLOCK
        descriptor = unsafe ownsDescriptor ? open(path, O_RDONLY | O_CLOEXEC | waiting) : STDIN_FILENO
        let openError = errno
        var status = stat()
        let isKnown = unsafe descriptor >= 0 && fstat(descriptor, &status) == 0
        let isRegular = isKnown && status.st_mode & S_IFMT == S_IFREG
        totalOctets = isRegular ? Int(status.st_size) : nil
        self.pipe = isRegular ? nil : pipe
        unsafe pending = .allocate(byteCount: bufferOctets, alignment: SavefileSource.bufferAlignment)

        guard isKnown else {
            throw openError == ENOENT || openError == ENOTDIR
                ? CaptureError(.noSuchFile, "\(name): no such file or folder")
                : CaptureError(.unreadable, "\(name) cannot be opened", cause: systemMessage(openError))
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            throw CaptureError(.isDirectory, "\(name) is a directory, not a pcap file")
        }
        try recognise()
    }

    deinit {
        unsafe pending.deallocate()
        if ownsDescriptor, descriptor >= 0 {
            close(descriptor)
        }
    }

    /// Whether what is stored is gzip data.
    var isCompressed: Bool { inflate != nil }

    /// Reads the first octets, and finds out whether they are gzip data.
    private func recognise() throws(CaptureError) {
        while pendingRange.count < 6, fill() {}
        guard !wasStopped else {
            throw CaptureError(.stopped, "\(name) was not waited for any longer")
        }
        guard failure == nil || !pendingRange.isEmpty else {
            throw CaptureError(.unreadable, "\(name) cannot be read", cause: failure)
        }
        guard !pendingRange.isEmpty else {
            throw CaptureError(.emptyFile, "\(name) is empty: it has not even the header of a pcap file")
        }
        if pendingRange.count >= 2, unsafe pending[0] == 0x1F, unsafe pending[1] == 0x8B {
            inflate = InflateStream()
        }
    }

    /// Reads more of the file after what is pending; `false` at its end or when it cannot be read.
    private func fill() -> Bool {
        if pendingRange.isEmpty {
            pendingRange = 0..<0
        }
        guard !isAtEnd, unsafe pendingRange.upperBound < pending.count else {
            return false
        }
        let room = unsafe UnsafeMutableRawBufferPointer(rebasing: pending[pendingRange.upperBound...])
        let count = unsafe readFile(into: room)
        pendingRange = pendingRange.lowerBound..<(pendingRange.upperBound + max(count, 0))
        return count > 0
    }

    /// Reads from the file itself: the number of octets, 0 at its end, -1 when it cannot be read.
    private func readFile(into room: UnsafeMutableRawBufferPointer) -> Int {
        while true {
            if let pipe, !pipe.wait(for: descriptor) {
                isAtEnd = true
                wasStopped = true
                return 0
            }
            let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            if count < 0, errno == EINTR || errno == EAGAIN && pipe != nil {
                continue
            }
            if count < 0 {
                failure = systemMessage(errno)
            }
            isAtEnd = count <= 0
            octetsRead += max(count, 0)
            return count
        }
    }
}

// MARK: - Giving out octets

extension StoredOctets {
    /// Gives out the next octets: how many, 0 at the end, -1 when `failure` says why there are no more.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        inflate == nil ? unsafe readPlain(into: room) : unsafe readInflated(into: room)
    }

    private func readPlain(into room: UnsafeMutableRawBufferPointer) -> Int {
        guard !pendingRange.isEmpty else {
            return isAtEnd ? (failure == nil ? 0 : -1) : unsafe readFile(into: room)
        }
        let count = min(room.count, pendingRange.count)
        unsafe room.copyMemory(from: UnsafeRawBufferPointer(rebasing: pending[pendingRange.prefix(count)]))
        pendingRange = pendingRange.dropFirst(count)
        return count
    }

    private func readInflated(into room: UnsafeMutableRawBufferPointer) -> Int {
        while failure == nil {
            if pendingRange.isEmpty, !fill() {
                guard inflate?.isBetweenMembers == false else {
                    return failure == nil ? 0 : -1
                }
                // A gzip member ends with a check of its content; without it, the file was cut.
                failure = failure ?? "the gzip data is cut short after \(octetsRead) bytes"
                return -1
            }
            let input = unsafe UnsafeRawBufferPointer(rebasing: pending[pendingRange])
            switch unsafe inflate?.step(input, into: room) {
            case .progress(let consumed, let produced):
                pendingRange = pendingRange.dropFirst(consumed)
                if produced > 0 {
                    return produced
                }
            case .failed(let reason):
                failure = "the gzip data is broken near its byte \(octetsRead - pendingRange.count) (\(reason))"
            case nil:
                failure = "zlib has no memory"
            }
        }
        return -1
    }
}
