// Wingmirror · Apache-2.0

import TrafficModel

/// The head of a request, with the ranges that parsing it gives.
struct RequestHead {
    private(set) var octets: [UInt8] = []
    private let method: Range<Int>
    private let target: Range<Int>
    private var authority: Range<Int>?
    private var fields: [FieldLine] = []

    /// Makes a GET request with these field lines after Host.
    init(target: String, host: String, fields: [(name: String, value: String)]) {
        let line = "GET \(target) HTTP/1.1\r\n"
        octets += line.utf8
        method = 0..<3
        self.target = 4..<4 + target.utf8.count
        authority = append("Host", host)
        for field in fields { _ = append(field.name, field.value) }
        octets += "\r\n".utf8
    }

    private mutating func append(_ name: String, _ value: String) -> Range<Int> {
        let start = octets.count
        octets += "\(name): \(value)\r\n".utf8
        let nameEnd = start + name.utf8.count
        let valueRange = nameEnd + 2..<octets.count - 2
        fields.append(FieldLine(name: start..<nameEnd, value: valueRange))
        return valueRange
    }

    /// The head as a stage gets it that has parsed nothing itself.
    var view: RequestView {
        @_lifetime(borrow self)
        get {
            RequestView(
                octets: octets.span,
                method: method,
                target: target,
                authority: authority,
                version: .http11,
                fields: fields.span
            )
        }
    }
}

// MARK: - Heads like those of an API

extension RequestHead {
    /// What browsers and proxies send with a request, 669 octets in all: the average of the workload `api`.
    static func apiLike(target: String, host: String) -> RequestHead {
        let length = 669
        let head = RequestHead(target: target, host: host, fields: browserFields(cookieLength: 0))
        return RequestHead(
            target: target,
            host: host,
            fields: browserFields(cookieLength: max(0, length - head.octets.count))
        )
    }

    /// A request with few fields, as one service sends to another.
    static func plain(target: String, host: String) -> RequestHead {
        RequestHead(
            target: target,
            host: host,
            fields: [
                ("User-Agent", "orders/2.7"), ("Accept", "application/json"), ("X-Forwarded-Proto", "https"),
                ("X-Request-Id", "4b5a3df1-9161-37ab-6d66-a6da1fe30f0a"),
            ]
        )
    }

    private static func browserFields(cookieLength: Int) -> [(name: String, value: String)] {
        [
            ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0"),
            ("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"), ("Accept-Language", "en-GB,en;q=0.9,de;q=0.7"),
            ("Referer", "https://shop.example.com/products"), ("X-Forwarded-For", "198.18.7.92"),
            ("X-Forwarded-Proto", "https"), ("X-Request-Id", "4b5a3df1-9161-37ab-6d66-a6da1fe30f0a"),
            ("traceparent", "00-b3417f313387f6284390d4edc255cdc7-0ea3d6cc376325cf-01"),
            ("Cookie", String(repeating: "c", count: cookieLength)),
        ]
    }
}

/// The heads of responses, as octets.
enum ResponseHead {
    /// What an API answers, 281 octets: the average of the workload `api`.
    static func apiLike(contentLength: Int) -> [UInt8] {
        let length = 281
        let start = "HTTP/1.1 200 OK\r\nServer: istio-envoy\r\nDate: Mon, 23 Nov 2026 04:06:00 GMT\r\n"
        let middle = "Content-Type: application/json\r\nContent-Length: \(contentLength)\r\nVary: Accept-Encoding\r\n"
        let last = "x-envoy-upstream-service-time: 12\r\nETag: "
        let octets = start + middle + last
        // A line end and an empty line follow the tag.
        let tag = String(repeating: "e", count: max(0, length - octets.utf8.count - 4))
        return Array("\(octets)\(tag)\r\n\r\n".utf8)
    }
}
