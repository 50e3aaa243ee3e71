// Wingmirror · Apache-2.0
// DEFLATE: RFC 1951; its wrappers: RFC 1950 (zlib), RFC 1952 (gzip). All calls into zlib are in this file.

import CZlib

/// Decompresses content that is in memory.
enum Inflation {
    /// What is around the compressed data.
    enum Format {
        case gzip
        case zlib
        case raw

        /// zlib's number for it: 15 bits of window, 16 more for gzip, negative for nothing around.
        fileprivate var windowBits: CInt {
            switch self {
            case .gzip: 15 + 16
            case .zlib: 15
            case .raw: -15
            }
        }
    }

    /// What one call of zlib came to.
    fileprivate enum Step {
        case progress
        case end
        case starved
        case failed(String)
    }

    /// Octets that are decompressed at a time.
    fileprivate static let chunk = 64 << 10

    /// Decompresses `content`, up to `limit` octets.
    ///
    /// A gzip file may have several members, which read as one (RFC 1952 §2.2); what follows the data otherwise is ignored, as
    /// browsers do.
    /// The C functions are `inflateInit2`, `inflate`, `inflateReset` and `inflateEnd`.
    static func inflate(
        _ content: [UInt8],
        format: Format,
        limit: Int
    ) throws(ContentDecodingError) -> DecodedContent {
        guard !content.isEmpty else { return DecodedContent(octets: [], end: .whole) }
        var stream = unsafe z_stream()
        let size = unsafe CInt(MemoryLayout<z_stream>.size)
        guard unsafe inflateInit2_(&stream, format.windowBits, ZLIB_VERSION, size) == Z_OK else {
            throw .malformed("zlib has no memory")
        }
        defer { unsafe _ = inflateEnd(&stream) }

        var output: [UInt8] = []
        var consumed = 0
        while true {
            // One octet more than the limit shows that there is more, and nothing beyond it is ever decompressed.
            let room = min(chunk, limit + 1 - output.count)
            let step = unsafe inflate(&stream, content, from: &consumed, into: &output, room: room)
            if output.count > limit {
                output.removeLast(output.count - limit)
                return DecodedContent(octets: output, end: .limit)
            }
            switch step {
            case .progress:
                continue
            case .starved:
                return DecodedContent(octets: output, end: .truncated)
            case .failed(let reason):
                throw .malformed(reason)
            case .end:
                guard case .gzip = format, isMember(content, at: consumed), unsafe inflateReset(&stream) == Z_OK else {
                    return DecodedContent(octets: output, end: .whole)
                }
            }
        }
    }

    /// Whether another gzip member begins at a place.
    fileprivate static func isMember(_ content: [UInt8], at place: Int) -> Bool {
        content.count - place >= 2 && content[place] == 0x1F && content[place + 1] == 0x8B
    }

    /// Calls zlib once, for up to `room` octets of output.
    @unsafe
    fileprivate static func inflate(
        _ stream: inout z_stream,
        _ content: [UInt8],
        from consumed: inout Int,
        into output: inout [UInt8],
        room: Int
    ) -> Step {
        var status = Z_OK
        var taken = 0
        let produced = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
            unsafe content.withUnsafeBufferPointer { input in
                let rest = unsafe UnsafeBufferPointer(rebasing: input[consumed...])
                // zlib only reads its input, though its type does not say so. Both buffers outlive the call, and zlib keeps no
                // pointer into them that it uses before they are set anew.
                unsafe stream.next_in = UnsafeMutablePointer(mutating: rest.baseAddress)
                unsafe stream.avail_in = UInt32(clamping: rest.count)
                unsafe stream.next_out = buffer.baseAddress
                unsafe stream.avail_out = UInt32(clamping: room)
                let before = unsafe stream.avail_in
                status = unsafe CZlib.inflate(&stream, Z_NO_FLUSH)
                taken = unsafe Int(before - stream.avail_in)
                count = unsafe room - Int(stream.avail_out)
            }
        }
        consumed += taken
        output += produced
        switch status {
        case Z_STREAM_END:
            return .end
        case Z_OK where taken > 0 || !produced.isEmpty:
            return .progress
        case Z_OK, Z_BUF_ERROR:
            return .starved
        case Z_NEED_DICT:
            return .failed("a preset dictionary")
        default:
            return unsafe .failed(stream.msg.map { unsafe String(cString: $0) } ?? "zlib's error \(status)")
        }
    }
}

/// Decompresses a gzip file (RFC 1952) as its octets come, so that no more of it is held than a piece.
///
/// The members of a file read as one, and what follows them otherwise is ignored. Nothing more comes out of a file that has
/// unfolded further than files of its kind do.
@safe
public struct Unpacking: ~Copyable {
    /// Whether the file has unfolded too far.
    public private(set) var isExcessive = false
    /// Whether the octets so far end in the middle of the data.
    public var isCut: Bool { isInMember && !isExcessive }

    // On the heap, since zlib knows a stream by its address.
    private let stream: UnsafeMutablePointer<z_stream>
    private let ratio: UnpackingRatio
    private var input: [UInt8] = []
    /// How much of the input is used up.
    private var place = 0
    private var consumed = 0
    private var produced = 0
    private var isInMember = true
    private var isOver = false

    /// Makes a reader at the start of a file.
    ///
    /// The C function is `inflateInit2`.
    ///
    /// - Parameter ratio: The most that may come out of what was consumed so far.
    /// - Throws: That there is no memory.
    public init(ratio: UnpackingRatio) throws(ContentDecodingError) {
        self.ratio = ratio
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        let size = unsafe CInt(MemoryLayout<z_stream>.size)
        let status = unsafe inflateInit2_(stream, Inflation.Format.gzip.windowBits, ZLIB_VERSION, size)
        guard status == Z_OK else { throw .malformed("zlib has no memory") }
    }

    deinit {
        // Ends a stream that was begun, and refuses one that was not; then nothing points to the memory.
        unsafe _ = inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Takes the next octets of the file, once ``next()`` has given all of those before.
    public mutating func append(_ octets: [UInt8]) {
        guard !isOver else { return }
        input = place < input.count ? Array(input[place...]) + octets : octets
        place = 0
    }

    /// What comes out next; empty when the octets so far are used up, or no more will come.
    ///
    /// The C functions are `inflate` and `inflateReset`.
    ///
    /// - Throws: What is wrong with the file.
    public mutating func next() throws(ContentDecodingError) -> [UInt8] {
        while !isOver {
            if !isInMember {
                guard input.count - place > 1 else { return [] }
                guard Inflation.isMember(input, at: place), unsafe inflateReset(stream) == Z_OK else { break }
                isInMember = true
            }
            let before = place
            var output: [UInt8] = []
            let step = unsafe Inflation.inflate(
                &stream.pointee,
                input,
                from: &place,
                into: &output,
                room: Inflation.chunk
            )
            consumed += place - before
            produced += output.count
            isExcessive = produced > ratio.limit(consumed: consumed)
            guard !isExcessive else { break }
            switch step {
            case .failed(let reason): throw .malformed(reason)
            case .end: isInMember = false
            case .starved where output.isEmpty: return []
            case .starved, .progress: break
            }
            if !output.isEmpty { return output }
        }
        isOver = true
        return []
    }
}
