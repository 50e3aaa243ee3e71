// Wingmirror · Apache-2.0
// HTTP Archive, version 1.2: what an archive must hold.

import JSONSyntax

/// The rules of the format that a program can check, written down from its description.
enum ArchiveRules {
    /// What is wrong with an archive, each with its place; empty for one that is right.
    static func violations(of archive: JSONValue) -> [String] {
        var check = ArchiveCheck()
        check.object(archive, "", required: ["log": .object], optional: [:])
        guard let log = archive["log"] else { return check.violations }
        check.object(
            log,
            "log",
            required: ["version": .string, "creator": .object, "entries": .array],
            optional: ["pages": .array, "browser": .object, "comment": .string]
        )
        if log["version"] != "1.2" { check.violations.append("log.version") }
        check.object(
            log["creator"] ?? .null,
            "log.creator",
            required: ["name": .string, "version": .string],
            optional: ["comment": .string]
        )
        for (place, entry) in check.list(log["entries"], "log.entries") { check.entry(entry, place) }
        return check.violations
    }
}

private struct ArchiveCheck {
    enum Kind { case string, number, bool, object, array }

    var violations: [String] = []

    mutating func entry(_ entry: JSONValue, _ place: String) {
        object(
            entry,
            place,
            required: [
                "startedDateTime": .string, "time": .number, "request": .object, "response": .object, "cache": .object,
                "timings": .object,
            ],
            optional: ["pageref": .string, "serverIPAddress": .string, "connection": .string, "comment": .string]
        )
        timings(entry, place)
        message(
            entry["request"] ?? .null,
            place + ".request",
            [
                "method": .string, "url": .string, "queryString": .array,
            ],
            ["postData": .object]
        )
        message(
            entry["response"] ?? .null,
            place + ".response",
            [
                "status": .number, "statusText": .string, "content": .object, "redirectURL": .string,
            ],
            [:]
        )
        if case .string(let url)? = entry["request"]?["url"] {
            let isAbsolute = url.hasPrefix("http://") || url.hasPrefix("https://")
            if !isAbsolute || url.contains("#") || !url.utf8.allSatisfy({ (0x21..<0x7F).contains($0) }) {
                violations.append(place + ".request.url: \(url)")
            }
        }
        for (place, parameter) in list(entry["request"]?["queryString"], place + ".request.queryString") {
            object(parameter, place, required: ["name": .string, "value": .string], optional: ["comment": .string])
        }
        if let data = entry["request"]?["postData"] {
            object(
                data,
                place + ".request.postData",
                required: ["mimeType": .string],
                optional: [
                    "text": .string, "params": .array, "comment": .string,
                ]
            )
            if (data["text"] == nil) == (data["params"] == nil) { violations.append(place + ".request.postData") }
        }
        object(
            entry["response"]?["content"] ?? .null,
            place + ".response.content",
            required: [
                "size": .number, "mimeType": .string,
            ],
            optional: ["compression": .number, "text": .string, "encoding": .string, "comment": .string]
        )
    }

    private mutating func message(
        _ message: JSONValue,
        _ place: String,
        _ required: [String: Kind],
        _ optional: [String: Kind]
    ) {
        let common: [String: Kind] = [
            "httpVersion": .string, "cookies": .array, "headers": .array, "headersSize": .number, "bodySize": .number,
        ]
        let all = required.merging(common) { first, _ in first }
        object(message, place, required: all, optional: optional.merging(["comment": .string]) { first, _ in first })
        for (place, field) in list(message["headers"], place + ".headers") {
            object(field, place, required: ["name": .string, "value": .string], optional: ["comment": .string])
        }
        for (place, cookie) in list(message["cookies"], place + ".cookies") {
            object(
                cookie,
                place,
                required: ["name": .string, "value": .string],
                optional: [
                    "path": .string, "domain": .string, "expires": .string, "httpOnly": .bool, "secure": .bool,
                    "comment": .string,
                ]
            )
        }
    }

    private mutating func timings(_ entry: JSONValue, _ place: String) {
        let timings = entry["timings"] ?? .null
        object(
            timings,
            place + ".timings",
            required: ["send": .number, "wait": .number, "receive": .number],
            optional: [
                "blocked": .number, "dns": .number, "connect": .number, "ssl": .number, "comment": .string,
            ]
        )
        var total = 0.0
        for name in ["send", "wait", "receive"] {
            let time = number(timings[name])
            if time < 0 { violations.append("\(place).timings.\(name): \(time)") }
            total += time
        }
        for name in ["blocked", "dns", "connect"] where number(timings[name]) != -1 { total += number(timings[name]) }
        if (number(entry["time"]) - total).magnitude > 1e-6 { violations.append(place + ".time") }
    }

    private func number(_ value: JSONValue?) -> Double {
        switch value {
        case .integer(let number)?: Double(number)
        case .double(let number)?: number
        default: -1
        }
    }

    mutating func list(_ value: JSONValue?, _ place: String) -> [(place: String, value: JSONValue)] {
        guard case .array(let values)? = value else { return [] }
        return values.enumerated().map { ("\(place)[\($0.offset)]", $0.element) }
    }

    /// Whether every required member is there, every member has its type, and every other one begins with an underscore.
    mutating func object(
        _ value: JSONValue,
        _ place: String,
        required: [String: Kind],
        optional: [String: Kind]
    ) {
        guard case .object(let object) = value else {
            violations.append("\(place): no object")
            return
        }
        for name in required.keys.sorted() where object[name] == nil { violations.append("\(place).\(name): missing") }
        for member in object.members where !member.key.hasPrefix("_") {
            guard let kind = required[member.key] ?? optional[member.key] else {
                violations.append("\(place).\(member.key): unknown")
                continue
            }
            if !matches(member.value, kind) { violations.append("\(place).\(member.key): \(member.value.typeName)") }
        }
    }

    private func matches(_ value: JSONValue, _ kind: Kind) -> Bool {
        switch (value, kind) {
        case (.string, .string), (.integer, .number), (.double, .number), (.bool, .bool), (.object, .object),
            (.array, .array):
            true
        default: false
        }
    }
}
