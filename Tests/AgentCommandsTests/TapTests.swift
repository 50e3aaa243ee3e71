// Wingmirror · Apache-2.0

import AgentConfiguration
import ArgumentParser
import Foundation
import JSONSyntax
import TestSupport
import Testing

@testable import AgentCommands

@Suite struct TapTests {
    private func plan(_ arguments: String...) throws -> TapPlan {
        try TapPlan(try #require(try Wingmirror.parseAsRoot(["tap"] + arguments) as? TapCommand))
    }

    private func problems(_ arguments: String...) -> [String] {
        AgentCommandsTests.problems {
            _ = try TapPlan(try #require(try Wingmirror.parseAsRoot(["tap"] + arguments) as? TapCommand))
        }
    }

    private static let entry = """
        {"number": 7, "client": "198.51.100.7:4000", "startTime": "2026-11-28T10:00:00.123456789Z", "request": {"method": \
        "POST", "target": "/a?b='c'", "authority": "shop.example.com", "fields": [["Host", "shop.example.com"], \
        ["Authorization", "[redacted]"], ["X-Note", "it's $HOME\\u001b[1m"], ["X-Empty", ""], \
        ["Content-Length", "3"]]}, "response": \
        {"status": 503}, "timing": {"durationSeconds": 0.25}, "reason": "matched", "route": {"virtualService": \
        "shop/storefront", "rule": 4, "routeName": "pages", "label": "pages"}}
        """

    private func line() throws -> TapLine { TapLine(try JSONDocument.parse(Array(Self.entry.utf8))) }

    // MARK: - Options

    @Test func `conditions go to the agent, percent-encoded`() throws {
        let plan = try plan(
            "--unmatched",
            "--status",
            "4xx",
            "--status",
            "none",
            "--path",
            "/a b&c=%",
            "--slower",
            "1s"
        )
        #expect(
            plan.query == "kind=unmatched&limit=512&path=%2Fa%20b%26c%3D%25&slower=1s&status=4xx&status=none"
        )
        #expect(plan.agent == ServerURL("http://127.0.0.1:9646"))
    }

    @Test func `what makes no sense is refused, each with its option`() {
        #expect(problems("--status", "9xx", "--slower", "soon", "--output", "xml", "--limit", "0").count == 4)
        #expect(problems("--agent", "nonsense").first?.hasPrefix("--agent: ") == true)
        #expect(problems("--unmatched", "--route", "a/b").count == 1)
        #expect(problems("--status", "404", "--output", "json").isEmpty)
        #expect(
            problems("--client", "10.0.0") == [
                "--client: expected an address such as 10.0.0.7 or a prefix such as 10.0.0.0/8, found \"10.0.0\""
            ]
        )
        #expect(problems("--client", "2001:DB8::/32").isEmpty)
    }

    @Test(arguments: [
        ("shop/storefront", true), ("storefront", true), ("shop/storefront/pages", true), ("shop/storefront/4", true),
        ("shop/storefront/#4", true), ("shop/storefront/cart", false), ("shop/other", false), ("shop", false),
    ])
    func `a route is an object, or a rule of it by name or number`(text: String, isWanted: Bool) throws {
        let line = try line()
        let object = try #require(line.object)
        let contains = TapRoute(text).contains(object: object, label: line.ruleLabel, number: line.ruleNumber)
        #expect(contains == isWanted)
    }

    @Test(arguments: [
        // A delegate's rule, and a rule without a name whose match entry has one.
        ("#4.1", "", ["shop/storefront/#4.1", "shop/storefront/4.1", "shop/storefront/#4"], "shop/storefront/#4.2"),
        ("team", ".team", ["shop/storefront/team", "shop/storefront/#4"], "shop/storefront/.team"),
    ])
    func `a rule has the name that metrics and lists of routes give it`(
        label: String,
        routeName: String,
        wanted: [String],
        other: String
    ) throws {
        let names = "\"routeName\": \"\(routeName)\", \"label\": \"\(label)\""
        let entry = Self.entry.replacing("\"routeName\": \"pages\", \"label\": \"pages\"", with: names)
        let line = TapLine(try JSONDocument.parse(Array(entry.utf8)))
        #expect(line.text(.table, .plain).contains("  shop/storefront/\(label)  "))
        let document: JSONValue = [
            "routes": [["object": "shop/storefront", "route": .string(label), "matches": [["rule": 4]]]]
        ]
        for (text, isWanted) in wanted.map({ ($0, true) }) + [(other, false)] {
            let route = TapRoute(text)
            let contains = route.contains(object: line.object ?? "", label: line.ruleLabel, number: line.ruleNumber)
            #expect(contains == isWanted, "\(text)")
            #expect((route.absence(in: document) == nil) == isWanted, "\(text)")
        }
    }

    @Test func `a route that the table does not have is said`() throws {
        let table = Array(
            """
            {"routes": [{"object": "shop/storefront", "route": "pages", "matches": [{"rule": 4}]}, \
            {"object": "shop/cart", "route": "#0", "matches": [{"rule": 0}]}]}
            """.utf8
        )
        let document = try JSONDocument.parse(table)
        for known in ["shop/storefront", "storefront", "shop/storefront/pages", "shop/storefront/#4", "shop/cart/0"] {
            #expect(TapRoute(known).absence(in: document) == nil)
        }
        #expect(TapRoute("shop/strefront").absence(in: document)?.hasSuffix("; did you mean shop/storefront?") == true)
        #expect(
            TapRoute("shop/cart/7/x").absence(in: document)?.hasPrefix("no rule of the agent's table is shop/cart/7/x")
                == true
        )
    }

    // MARK: - Lines

    @Test func `a line says when, how it ended, which rule and what was asked for`() throws {
        #expect(
            try line().text(.table, .plain)
                == "10:00:00.123  503  250 ms    shop/storefront/pages         POST shop.example.com/a?b='c'  198.51.100.7:4000"
        )
    }

    @Test func `an answer that was not seen is told from one that never came`() throws {
        func line(isAnswerSeen: Bool) throws -> String {
            let answer = "null, \"isAnswerSeen\": \(isAnswerSeen)"
            let entry = Self.entry.replacing("{\"status\": 503}", with: answer)
            return TapLine(try JSONDocument.parse(Array(entry.utf8))).text(.table, TerminalStyle(isColoured: true))
        }
        #expect(try line(isAnswerSeen: true).contains("  \u{1B}[31m–  \u{1B}[0m  250 ms"))
        #expect(try line(isAnswerSeen: false).contains("  \u{1B}[2m?  \u{1B}[0m  250 ms"))
    }

    @Test func `no part of an agent's answer reaches the terminal with its control characters`() throws {
        let entry = #"""
            {"client": "a\u001b]0;x\u0007\nb", "startTime": "2026-11-28T\u001b]\u0007\nb", "request": {"method": "G\u001b", \#
            "target": "/\u001b", "authority": "\u009b"}, "reason": "\n", "route": {"virtualService": "\u202e"}}
            """#
        let text = TapLine(try JSONDocument.parse(Array(entry.utf8))).text(.table, .plain)
        let isVisible = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7F...0x9F ~= scalar.value) && !(0x202A...0x202E ~= scalar.value)
        }
        #expect(isVisible)
    }

    @Test func `a narrow terminal has less of the rule, then no client, and all of what was asked for`() throws {
        let start = "10:00:00.123  503  250 ms    shop/st…efront/pages  POST shop.example.com/a?b='c'"
        #expect(try line().text(.table, TerminalStyle(width: 100)) == "\(start)  198.51.100.7:4000")
        #expect(try line().text(.table, TerminalStyle(width: 80)) == start)
        #expect(try line().text(.table, TerminalStyle(width: 20)) == start)
    }

    @Test func `a command is what a shell passes on, without what was hidden`() throws {
        let text = try line().text(.curl, .plain)
        #expect(text.hasSuffix("  # without Authorization"))
        #expect(!text.contains("\u{1B}"))
        let shell = ExternalProgram("bash", ["-c", "curl() { for word; do printf '%s\\n' \"$word\"; done; }; " + text])
        #expect(
            try shell.blockingRun().text.split(separator: "\n").map(String.init) == [
                "-sS", "--globoff", "--path-as-is", "-X", "POST", "-H", "X-Note: it's $HOME\u{1B}[1m",
                "-H", "X-Empty;", "-H", "User-Agent:", "-H", "Accept:",
                "--url", "http://shop.example.com/a?b='c'",
            ]
        )
    }

    @Test(arguments: ["-o/tmp/planted", "--next", "*", "http://elsewhere/", "@/etc/passwd"])
    func `a command has no options of the client's making`(target: String) throws {
        let odd = Self.entry.replacing("/a?b='c'", with: target)
        let text = TapLine(try JSONDocument.parse(Array(odd.utf8))).text(.curl, .plain)
        let shell = ExternalProgram("bash", ["-c", "curl() { for word; do printf '%s\\n' \"$word\"; done; }; " + text])
        let words = try shell.blockingRun().text.split(separator: "\n").map(String.init)
        #expect(words.suffix(4) == ["--request-target", target, "--url", "http://shop.example.com/"])
    }

    @Test func `a command sends a number sign, and octets that are no text, as the target had them`() throws {
        let fragment = Self.entry.replacing("/a?b='c'", with: "/frag#x")
        let text = TapLine(try JSONDocument.parse(Array(fragment.utf8))).text(.curl, .plain)
        #expect(text.contains("--request-target '/frag#x' --url http://shop.example.com/ "))
        let escaped = Self.entry.replacing("/a?b='c'", with: #"/caf\\xE9\\\\"#)
            .replacing("\"method\"", with: "\"octetsEscaped\": true, \"method\"")
        let octets = TapLine(try JSONDocument.parse(Array(escaped.utf8))).text(.curl, .plain)
        #expect(octets.contains(#"--request-target $'/caf\351\\' --url http://shop.example.com/ "#))
    }

    @Test func `what curl adds of itself is left out only where the client sent none`() throws {
        let agent = Self.entry.replacing("[\"X-Empty\", \"\"]", with: "[\"user-agent\", \"u/1\"]")
        let text = TapLine(try JSONDocument.parse(Array(agent.utf8))).text(.curl, .plain)
        #expect(!text.contains("User-Agent:") && text.contains("-H Accept:"))
        let cut = Self.entry.replacing("\"method\"", with: "\"fieldsCut\": true, \"method\"")
        let unknown = TapLine(try JSONDocument.parse(Array(cut.utf8))).text(.curl, .plain)
        #expect(!unknown.contains("User-Agent:") && !unknown.contains("Accept:"))
    }

    @Test func `a command says what of the request it does not send`() throws {
        let whole = Self.entry.replacing("\"authority\"", with: "\"contentBytes\": 12, \"authority\"")
        let text = TapLine(try JSONDocument.parse(Array(whole.utf8))).text(.curl, .plain)
        #expect(text.hasSuffix("  # without Authorization, and its body of 12 bytes"))
    }

    @Test func `a command for what came inside TLS asks inside TLS`() throws {
        let secured = Self.entry.replacing("\"authority\"", with: "\"scheme\": \"https\", \"authority\"")
        let text = TapLine(try JSONDocument.parse(Array(secured.utf8))).text(.curl, .plain)
        #expect(text.contains("'https://shop.example.com/a?b="))
    }

    @Test func `a request that waited in vain is shown with how long it did`() throws {
        let hung = Self.entry.replacing(
            "\"durationSeconds\": 0.25",
            with: "\"durationSeconds\": null, \"unansweredSeconds\": 31"
        )
        #expect(TapLine(try JSONDocument.parse(Array(hung.utf8))).text(.table, .plain).contains("  31"))
    }

    @Test func `a response that stalled is shown with how long its client had patience`() throws {
        let stalled = Self.entry.replacing(
            "\"durationSeconds\": 0.25",
            with: "\"durationSeconds\": 0.25, \"brokenOffSeconds\": 31"
        )
        #expect(TapLine(try JSONDocument.parse(Array(stalled.utf8))).text(.table, .plain).contains("  31"))
    }

    @Test func `a document is given as it came`() throws {
        let text = try line().text(.ndjson, .plain)
        #expect(try JSONDocument.parse(Array(text.utf8)) == JSONDocument.parse(Array(Self.entry.utf8)))
        #expect(!text.contains("\n"))
    }

    @Test func `what was shown is told with what there was`() throws {
        var counts = TapCounts()
        counts.shown = 1
        #expect(counts.sentence == "1 request shown")
        counts.asked(["startTime": "a", "requests": ["matched": 10, "unmatched": 2]])
        counts.ended(with: ["startTime": "a", "requests": ["matched": 30, "unmatched": 5]])
        #expect(counts.sentence.hasPrefix("1 request shown; the agent counted 23 meanwhile (it keeps"))
        counts.isFiltered = true
        #expect(counts.sentence.contains("23 meanwhile (of all kinds, without the conditions; it keeps"))
    }

    @Test func `a condition of any kind makes the agent's count another one`() throws {
        #expect(try !plan().isFiltered)
        for words in [["--unmatched"], ["--status", "4xx"], ["--host", "a"], ["--route", "a/b"]] {
            let command = try #require(try Wingmirror.parseAsRoot(["tap"] + words) as? TapCommand)
            #expect(try TapPlan(command).isFiltered, "\(words)")
        }
    }

    @Test func `counts begin anew with an agent that was restarted`() throws {
        var counts = TapCounts()
        counts.asked(["startTime": "a", "requests": ["matched": 10]])
        counts.shown = 150
        let isOther = counts.asked(["startTime": "a", "requests": ["matched": 300]])
        #expect(!isOther)
        let isAnother = counts.asked(["startTime": "b", "requests": ["matched": 4]])
        #expect(isAnother)
        counts.shown = 192
        counts.ended(with: ["startTime": "b", "requests": ["matched": 164]])
        #expect(
            counts.sentence.hasPrefix(
                "192 requests shown; the agent was restarted meanwhile: 42 since, of 164 that it counted"
            )
        )
    }
}
