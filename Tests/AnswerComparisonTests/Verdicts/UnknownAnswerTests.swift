// Wingmirror · Apache-2.0

import Testing
import TrafficModel

@testable import AnswerComparison

/// What is not known counts against a target before it passes, and what was found stays.
@Suite struct UnknownAnswerTests {
    private typealias Bench = VerdictBookTests.Bench

    private static let item = VerdictBookTests.item()
    private static let missing = AnswerComparatorTests.answer("none", status: 404)

    @Test(arguments: [MissedReason.unanswered, .slow, .dropped, .lag], [true, false])
    func `a target that may have failed in a twenty-fifth of requests does not pass`(
        reason: MissedReason,
        hasBaseline: Bool
    ) throws {
        var bench = Bench(hasBaseline: hasBaseline)
        for number in 0..<6000 {
            guard number % 25 != 0 else {
                bench.book.sampled(Bench.lane, route: Bench.route)
                bench.book.missed(Bench.lane, route: Bench.route, reason: reason)
                continue
            }
            bench.pair(
                Self.item,
                candidate: .success(Self.item),
                baseline: hasBaseline ? .success(Self.item) : nil
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .coverage)
        #expect(verdict.pairsNeeded.map { $0 > 200_000 } == true)
        #expect(!verdict.remedy.isEmpty)
    }

    @Test func `one request without an answer among many takes some more pairs`() throws {
        var bench = Bench(hasBaseline: true)
        bench.book.sampled(Bench.lane, route: Bench.route)
        bench.book.missed(Bench.lane, route: Bench.route, reason: .dropped)
        for _ in 0..<12_000 {
            bench.pair(Self.item, candidate: .success(Self.item), baseline: .success(Self.item))
        }
        #expect(try bench.verdict.verdict == .pass)
    }

    @Test func `a candidate that fails where no baseline was asked does not pass`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<6000 {
            let isAlone = number % 100 == 0
            bench.pair(
                Self.item,
                candidate: isAlone ? .failure(.reset) : .success(Self.item),
                baseline: isAlone ? nil : .success(Self.item)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.pairs == 5940 && verdict.missed == [.baseline: 60])
        #expect(verdict.verdict == .inconclusive && verdict.reason == .stagingFails)
        // Sixty that may have failed are one in a thousand of sixty thousand.
        #expect((54_000...54_100).contains(verdict.pairsNeeded ?? 0))
    }

    @Test func `errors of production's that are repaired excuse no others, and it is said`() throws {
        var bench = Bench(hasBaseline: false)
        let error = AnswerComparatorTests.answer("x", status: 500)
        for number in 0..<3000 {
            let isRepaired = number % 8 == 0
            bench.pair(
                isRepaired ? error : Self.item,
                candidate: .success(!isRepaired && number % 25 == 1 ? error : Self.item)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.errors.better > verdict.errors.worse && verdict.errors.worse > 100)
        #expect(verdict.verdict == .inconclusive)
        #expect(verdict.remedy.contains("no excuse"))
    }

    @Test func `while neither can be reached, as staging is off, the candidate is not suspected`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<12_000 {
            let isDown = number % 50 == 0
            // While its breaker is open, the baseline is not asked either.
            let isHeldBack = number % 100 == 0
            let state = BreakerState(openings: isHeldBack ? 1 : 0, isOpen: isHeldBack)
            if number % 50 <= 1 { bench.book.breakersSeen(["baseline": state], at: bench.now) }
            bench.pair(
                Self.item,
                candidate: isDown ? .failure(.connect) : .success(Self.item),
                baseline: isHeldBack ? nil : isDown ? .failure(.connect) : .success(Self.item)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.missed == [.baseline: 240])
        #expect(verdict.verdict == .pass, "\(verdict.reason)")
    }

    @Test func `where staging's entries are others, the order of theirs is asked about by name`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<1000 {
            bench.pair(
                AnswerComparatorTests.answer(#"{"items":[1,2,3]}"#),
                candidate: .success(AnswerComparatorTests.answer(#"{"items":[13,12,11]}"#)),
                baseline: .success(AnswerComparatorTests.answer(#"{"items":[11,12,13]}"#))
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .masked)
        #expect(verdict.remedy.contains("unorderedPaths"))
    }

    /// What the three say of a price, in production and beyond.
    enum Price: Sendable, CaseIterable {
        case steadyInProduction
        case steadyForSignedIn
        case varying
        case beyondProduction
    }

    @Test(arguments: Price.allCases)
    func `where production says the same again, a value that is another one at each hides a change`(
        price: Price
    ) throws {
        var bench = Bench(hasBaseline: true)
        func item(_ value: Int) -> RecordedResponse { AnswerComparatorTests.json(#"{"id":1,"price":\#(value)}"#) }
        for number in 0..<6000 {
            let first = number % 5
            let production =
                switch price {
                case .steadyInProduction, .steadyForSignedIn: item(100 + first)
                case .varying: item(bench.random())
                case .beyondProduction: AnswerComparatorTests.json(#"{"id":1}"#)
                }
            let varies = price == .varying || price == .beyondProduction
            bench.pair(
                production,
                candidate: .success(item(varies ? bench.random() : 330 + first)),
                baseline: .success(item(varies ? bench.random() : 300 + first)),
                path: "/items/\(first)",
                lostCredentials: price == .steadyForSignedIn
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == (price == .steadyInProduction ? .inconclusive : .pass), "\(verdict.reason)")
        #expect((verdict.reason == .masked) == (price == .steadyInProduction))
        #expect(verdict.remedy.contains("content price") == (price == .steadyInProduction))
    }

    @Test func `what staging alone says beside another status is nothing that production says again`() throws {
        var bench = Bench(hasBaseline: true)
        func absent(_ took: Int) -> RecordedResponse {
            AnswerComparatorTests.answer(
                #"{"error":"none","took":\#(took)}"#,
                status: 404,
                fields: [("Content-Type", "application/json")]
            )
        }
        for number in 0..<6000 {
            let (ours, theirs) = (absent(1 + bench.random() % 1000), absent(1 + bench.random() % 1000))
            let isAbsent = number % 10 == 0
            bench.pair(
                Self.item,
                candidate: .success(isAbsent ? ours : Self.item),
                baseline: .success(isAbsent ? theirs : Self.item),
                path: "/items/\(number % 5)"
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .pass, "\(verdict.reason) \(verdict.remedy)")
    }

    @Test func `a value that varies wherever it is, in few answers, hides no change`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<6000 {
            // Each address is asked for twice, and one in a hundred has the value.
            let address = number / 2
            let items = (0..<3).map { _ in
                let more = address % 100 == 0 ? #","eta":\#(1_000_000 + bench.random() % 100_000)"# : ""
                return AnswerComparatorTests.json(#"{"id":1\#(more)}"#)
            }
            bench.pair(
                items[0],
                candidate: .success(items[1]),
                baseline: .success(items[2]),
                path: "/items/\(address)"
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .pass, "\(verdict.reason) \(verdict.remedy)")
    }

    @Test func `zeros of the target's alone hide in no number that varies, before production's are known`() throws {
        var bench = Bench(hasBaseline: false) { settings in
            settings.margin = 0.02
            settings.errorMargin = 0.01
        }
        func item(_ number: Int) -> RecordedResponse { AnswerComparatorTests.json(#"{"id":1,"took":\#(number)}"#) }
        for number in 0..<1000 {
            let (first, second) = (bench.random(), bench.random())
            bench.pair(
                item(1 + bench.random()),
                candidate: .success(item(first % 10 == 0 ? 0 : first)),
                repeated: .success(item(second % 10 == 0 ? 0 : second)),
                // Fifty repeats show that it varies in production, and not yet how often it is 0.
                path: number < 100 ? "/items/\(number / 2)" : nil
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .unconfirmed)
        #expect(verdict.remedy.contains("content took"))
    }

    @Test func `what thins independently of answers does not matter`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<12_000 {
            guard number % 2 != 0 else {
                bench.book.sampled(Bench.lane, route: Bench.route)
                bench.book.missed(Bench.lane, route: Bench.route, reason: .thinned)
                continue
            }
            bench.pair(Self.item, candidate: .success(Self.item), baseline: .success(Self.item))
        }
        #expect(try bench.verdict.verdict == .pass)
    }

    @Test func `contents that cannot be read in a twenty-fifth of pairs may differ`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<6000 {
            let coded = AnswerComparatorTests.answer("x", fields: [("Content-Encoding", "zstd")])
            let other = AnswerComparatorTests.answer("y", fields: [("Content-Encoding", "zstd")])
            let answer = number % 25 == 0 ? coded : Self.item
            bench.pair(
                answer,
                candidate: .success(number % 25 == 0 ? other : Self.item),
                baseline: .success(answer)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .unreadable)
    }

    @Test func `a difference that was found stays when all answers are refusals`() throws {
        var bench = Bench(hasBaseline: false)
        func pair(isMissing: Bool) {
            let answer = isMissing ? Self.missing : Self.item
            bench.pair(Self.item, candidate: .success(answer), repeated: .success(answer))
        }
        for number in 0..<2500 { pair(isMissing: number % 7 == 0) }
        #expect(try bench.verdict.verdict == .different)
        for _ in 0..<4000 { pair(isMissing: true) }
        #expect(try bench.verdict.verdict == .different)
    }

    @Test(arguments: [true, false])
    func `refusals are not comparable only where credentials were taken out`(lostCredentials: Bool) throws {
        var bench = Bench(hasBaseline: false)
        for _ in 0..<2500 {
            bench.pair(
                Self.item,
                candidate: .success(Self.missing),
                repeated: .success(Self.missing),
                lostCredentials: lostCredentials
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == (lostCredentials ? .inconclusive : .different))
        #expect(verdict.reason == (lostCredentials ? .notComparable : .beyondMargin))
    }

    // MARK: - Links

    private static func redirect(_ location: String) -> RecordedResponse {
        AnswerComparatorTests.answer("", status: 302, fields: [("Location", location)])
    }

    @Test(arguments: [
        ("https://shop.example.com/a", "https://admin.example.com/a", Verdict.fail),
        ("https://shop.example.com/a", "http://shop.example.com/a", .fail),
        ("https://shop.example.com/a", "https://shop.example.com:443/a", .pass),
        ("http://shop.example.com/a", "http://staging:8080/a", .pass),
        ("http://shop.example.com/a", "http://other:8080/a", .fail),
    ])
    func `a link elsewhere, or by the other scheme, is another link`(
        production: String,
        candidate: String,
        verdict: Verdict
    ) throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<6000 {
            bench.pair(
                Self.redirect(production),
                candidate: .success(Self.redirect(candidate)),
                baseline: .success(Self.redirect(production))
            )
        }
        #expect(try bench.verdict.verdict == verdict)
    }

    @Test func `links are like each other in what the host that was asked, and the target, begin with`() {
        var hosts = LinkHosts(["staging:8080"]).adding("shop.example.com")
        func relative(_ text: String) -> String { String(decoding: hosts.relative(Array(text.utf8)), as: UTF8.self) }
        #expect(relative("https://shop.example.com/a") == "/a" && relative("http://staging:8080") == "/")
        hosts.schemes = LinkHosts.Schemes(asked: .https, targets: .http)
        #expect(relative("https://shop.example.com/a") == "/a")
        #expect(relative("http://shop.example.com/a") == "http:/a")
        #expect(relative("http://staging:8080/a") == "/a")
        #expect(relative("https://staging:8080/a") == "https:/a")
        #expect(relative("https://admin.example.com/a") == "https://admin.example.com/a")
    }
}
