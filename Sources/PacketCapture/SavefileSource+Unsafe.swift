// Wingmirror · Apache-2.0

import CPcap
import Glibc

/// The octets of a savefile as libpcap is to see them: from a file or a pipe, decompressed when they are gzip data.
///
/// libpcap reads savefiles through C's streams. This class stands behind such a stream, so that what is read and what
/// is decompressed can be counted, and so that a fault below libpcap keeps its own words. It serves one reader on one
/// thread and is not `Sendable`.
@safe
final class SavefileSource {
    /// How much is read at once: 128 KiB took the least processor time of 4 KiB to 1 MiB, because it stays in the
    /// second-level cache between the kernel's copy and libpcap's.
    static let bufferOctets = 128 << 10

    /// Buffers start with a page: the kernel copies to one that starts 16 octets later a third more slowly.
    static let bufferAlignment = 4096

    /// How many of the first octets tell what a file is.
    static let headOctets = 16

    /// How the file is called in messages.
    let name: String
    /// The size of the file as stored; `nil` for what has no size, such as a pipe.
    let totalOctets: Int?
    /// Octets given out, after decompression.
    private(set) var octetsDelivered = 0
    /// The first octets, after decompression: enough to tell what the file is.
    private(set) var head: [UInt8] = []
    /// Octets that were looked at and are to be given out once more.
    private var returned: [UInt8] = []

    /// Where octets come from.
    private var origin: Origin
    /// What the C stream buffers in; it must outlive the stream.
    private let streamBuffer: UnsafeMutableRawBufferPointer

    /// Where octets come from.
    private enum Origin {
        /// The file, which this thread reads.
        case stored(StoredOctets)
        /// What threads have read of the file.
        case ahead(OctetsAhead)
    }

    /// Opens a savefile.
    /// - Parameters:
    ///   - path: A path, or `-` for standard input.
    ///   - bufferOctets: How much to read at once.
    ///   - pipe: Waits for octets of a pipe.
    /// - Throws: `.noSuchFile`, `.isDirectory`, `.unreadable`, `.emptyFile`, or `.stopped`.
    init(
        path: String,
        bufferOctets: Int = SavefileSource.bufferOctets,
        pipe: PipeWait? = nil
    ) throws(CaptureError) {
        let stored = try StoredOctets(path: path, bufferOctets: bufferOctets, pipe: pipe)
        unsafe streamBuffer = .allocate(byteCount: bufferOctets, alignment: Self.bufferAlignment)
        name = stored.name
        totalOctets = stored.totalOctets
        origin = .stored(stored)
    }

    deinit {
        unsafe streamBuffer.deallocate()
    }

    /// Has other threads decompress from here on what is to be given out next, if it is gzip data of a file.
    func readAhead(by others: ReadAhead) {
        guard case .stored(let stored) = origin, stored.isCompressed, totalOctets != nil else { return }
        origin = .ahead(others.add(stored))
    }

    /// Octets read from the file as stored, of which those were made that have been given out.
    var octetsRead: Int {
        switch origin {
        case .stored(let stored): stored.octetsRead
        case .ahead(let ahead): ahead.octetsRead
        }
    }

    /// What went wrong below libpcap behind the octets that have been given out, if anything did.
    var failure: String? {
        switch origin {
        case .stored(let stored): stored.failure
        case .ahead(let ahead): ahead.failure
        }
    }

    /// Whether a stop ended a pipe, so that what is cut short there is no damage.
    var wasStopped: Bool {
        // Only files are read ahead.
        if case .stored(let stored) = origin { stored.wasStopped } else { false }
    }
}

// MARK: - Giving out octets

extension SavefileSource {
    /// Gives out the next octets: how many, 0 at the end, -1 when `failure` says why there are no more.
    func read(into room: UnsafeMutableRawBufferPointer) -> Int {
        let count = unsafe readReturned(into: room) ?? readFurther(into: room)
        octetsDelivered += max(count, 0)
        if head.count < Self.headOctets, count > 0 {
            unsafe head.append(contentsOf: room.prefix(min(count, Self.headOctets - head.count)))
        }
        return count
    }

    /// Looks at the first octets, before any other is read: as many as there are, up to `count`.
    func peek(_ count: Int) -> [UInt8] {
        returned = octets(count)
        octetsDelivered = 0
        head = []
        return returned
    }

    private func readReturned(into room: UnsafeMutableRawBufferPointer) -> Int? {
        guard !returned.isEmpty else {
            return nil
        }
        let count = min(room.count, returned.count)
        for (index, octet) in returned.prefix(count).enumerated() {
            unsafe room[index] = octet
        }
        returned.removeFirst(count)
        return count
    }

    private func readFurther(into room: UnsafeMutableRawBufferPointer) -> Int {
        switch origin {
        case .stored(let stored): unsafe stored.read(into: room)
        case .ahead(let ahead): unsafe ahead.read(into: room)
        }
    }

    /// Gives out up to `count` octets as an array; fewer only at the end or at a fault.
    func octets(_ count: Int) -> [UInt8] {
        unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            while initialized < count {
                let room = unsafe UnsafeMutableRawBufferPointer(
                    rebasing: UnsafeMutableRawBufferPointer(buffer)[initialized...]
                )
                let read = unsafe self.read(into: room)
                guard read > 0 else { break }
                initialized += read
            }
        }
    }
}

// MARK: - The C stream

extension SavefileSource {
    /// Opens a C stream of these octets, which borrows this object until the stream is closed.
    ///
    /// The C functions are `fopencookie` and `setvbuf`.
    func openStream() -> UnsafeMutablePointer<FILE>? {
        let functions = unsafe cookie_io_functions_t(
            read: { cookie, buffer, count in
                guard let cookie = unsafe cookie, let buffer = unsafe buffer else {
                    return -1
                }
                let source = unsafe Unmanaged<SavefileSource>.fromOpaque(cookie).takeUnretainedValue()
                return unsafe source.read(into: UnsafeMutableRawBufferPointer(start: buffer, count: count))
            },
            write: nil,
            // The stream cannot seek; it can only be asked where it is.
            seek: { cookie, offset, whence in
                guard let cookie = unsafe cookie, let offset = unsafe offset, whence == SEEK_CUR,
                    unsafe offset.pointee == 0
                else {
                    return -1
                }
                let source = unsafe Unmanaged<SavefileSource>.fromOpaque(cookie).takeUnretainedValue()
                unsafe offset.pointee = __off64_t(source.octetsDelivered)
                return 0
            },
            close: nil
        )
        let cookie = unsafe Unmanaged.passUnretained(self).toOpaque()
        guard let stream = unsafe fopencookie(cookie, "r", functions) else {
            return nil
        }
        unsafe setvbuf(
            stream,
            streamBuffer.baseAddress?.assumingMemoryBound(to: CChar.self),
            _IOFBF,
            streamBuffer.count
        )
        return unsafe stream
    }
}
