// Wingmirror · Apache-2.0
// Fields for browsers: RFC 9110, Fetch Standard, HTML Standard.

import HTTPTypes
import Hummingbird
import HummingbirdCore
import NIOCore

/// The kinds of responses there are; none is ever to be cached.
extension Response {
    /// Documents with fewer octets are sent as they are.
    private static let compressionThreshold = 1024

    /// A line of text.
    static func text(_ status: HTTPResponse.Status, _ line: String) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store", .typeOptions: "nosniff"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: line + "\n"))
        )
    }

    /// What came of a request that changes something, as a line of text.
    static func sentence(_ answer: AdminAnswer) -> Response {
        switch answer {
        case .document(let octets): .text(.ok, String(decoding: octets, as: UTF8.self))
        case .file(let file): .file(file)
        case .refused(let reason): .text(.badRequest, reason)
        case .missing(let reason): .text(.notFound, reason)
        }
    }

    /// A page of metrics.
    static func page(_ content: ScrapePages.Content) -> Response {
        var response = Response(
            status: .ok,
            headers: [
                .contentType: content.contentType, .vary: "Accept, Accept-Encoding", .cacheControl: "no-store",
            ],
            body: ResponseBody(byteBuffer: content.buffer)
        )
        if content.isCompressed {
            response.headers[.contentEncoding] = "gzip"
        }
        return response
    }

    /// A JSON document, which pages of other origins cannot embed.
    static func json(_ octets: [UInt8], compressed: Bool) -> Response {
        var response = document(octets, "application/json", compressed: compressed)
        response.headers[.resourcePolicy] = "same-origin"
        return response
    }

    /// The web page, with what it may do in a browser.
    static func page(_ page: WebPage, compressed: Bool) -> Response {
        var response = document(page.octets, "text/html; charset=utf-8", compressed: compressed)
        response.headers[.contentSecurityPolicy] = page.policy
        response.headers[.resourcePolicy] = "same-origin"
        response.headers[.openerPolicy] = "same-origin"
        response.headers[.frameOptions] = "DENY"
        response.headers[.referrerPolicy] = "no-referrer"
        return response
    }

    /// A file to be saved, which pages of other origins cannot embed; a field of its own says what is in it.
    static func file(_ file: AdminFile) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: file.mediaType, .cacheControl: "no-store", .typeOptions: "nosniff",
                .resourcePolicy: "same-origin", .contentDisposition: "attachment; filename=\"\(file.name)\"",
                .note: file.note,
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: file.octets))
        )
    }

    private static func document(_ octets: [UInt8], _ mediaType: String, compressed: Bool) -> Response {
        let content = compressed && octets.count >= compressionThreshold ? GzipEncoder.compress(octets) : nil
        var response = Response(
            status: .ok,
            headers: [
                .contentType: mediaType, .cacheControl: "no-store", .vary: "Accept-Encoding", .typeOptions: "nosniff",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: content ?? octets))
        )
        if content != nil {
            response.headers[.contentEncoding] = "gzip"
        }
        return response
    }

    /// The answer to a health or readiness question.
    static func probe(_ probe: Probe) -> Response {
        .text(probe.isPassing ? .ok : .serviceUnavailable, probe.detail)
    }

    /// What a reload came to.
    static func reload(_ outcome: ReloadOutcome) -> Response {
        switch outcome {
        case .reloaded(let notes): .text(.ok, (["reloaded"] + notes).joined(separator: "\n"))
        case .rejected(let problems): .text(.badRequest, problems.joined(separator: "\n"))
        }
    }
}

extension HTTPField.Name {
    fileprivate static let typeOptions = Self(known: "X-Content-Type-Options")
    fileprivate static let resourcePolicy = Self(known: "Cross-Origin-Resource-Policy")
    fileprivate static let openerPolicy = Self(known: "Cross-Origin-Opener-Policy")
    fileprivate static let frameOptions = Self(known: "X-Frame-Options")
    fileprivate static let note = Self(known: "Wingmirror-Note")
    fileprivate static let referrerPolicy = Self(known: "Referrer-Policy")

    /// Makes a name of a constant that is one.
    fileprivate init(known name: String) {
        guard let name = Self(name) else { preconditionFailure("HTTPField.Name: \(name) is no token") }
        self = name
    }
}
