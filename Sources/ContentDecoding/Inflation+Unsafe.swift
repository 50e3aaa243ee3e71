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
    private enum Step {
        case progress
        case end
        case starved
        case failed(String)
    }

    /// Octets that are decompressed at a time.
    private static let chunk = 64 << 10

    /// Decompresses `content`, up to `limit` octets, and as far as `ratio` allows for what was consumed.
    ///
    /// A gzip file may have several members, which read as one (RFC 1952 §2.2); what follows the data otherwise is ignored, as
    /// browsers do.
    /// The C functions are `inflateInit2`, `inflate`, `inflateReset` and `inflateEnd`.
    static func inflate(
        _ content: [UInt8],
        format: Format,
        limit: Int,
        ratio: UnpackingRatio? = nil
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
            let limit = min(limit, ratio?.limit(consumed: consumed) ?? .max)
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
    private static func isMember(_ content: [UInt8], at place: Int) -> Bool {
        content.count - place >= 2 && content[place] == 0x1F && content[place + 1] == 0x8B
    }

    /// Calls zlib once, for up to `room` octets of output.
    @unsafe
    private static func inflate(
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
