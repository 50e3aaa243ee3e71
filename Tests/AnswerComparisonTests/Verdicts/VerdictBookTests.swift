// Wingmirror · Apache-2.0

import JSONSyntax
import OctetText
import TestTraits
import Testing
import TrafficModel

@testable import AnswerComparison

@Suite(.heavy) struct VerdictBookTests {
    /// A policy with one candidate, requests that come one a second, and what is learned of it.
    struct Bench {
        static let lane = MirrorLane(policy: "canary", target: "candidate")
        static let route = RouteName(virtualServiceNamespace: "shop", virtualService: "items", route: "list")

        var book: VerdictBook
        var generator: SeededGenerator
        var request = 0
        /// From one request to the next, in nanoseconds.
        var step: Int64
        /// When the requests begin, in nanoseconds since the Unix epoch.
        var start: Int64 = 0

        init(
            hasBaseline: Bool,
            seed: UInt64 = 1,
            step: Int64 = 1_000_000_000,
            limits: VerdictLimits = VerdictLimits(),
            adjust: (inout ComparisonSettings) -> Void = { _ in }
        ) {
            book = VerdictBook(secret: "key", seed: seed, limits: limits) { _, _, _ in nil }
            var policy = ComparisonPolicy(name: "canary", targets: ["candidate"])
            policy.baseline = hasBaseline ? "baseline" : nil
            adjust(&policy.settings)
            let origin = TargetOrigin(authority: "staging:8080", isSecured: false)
            book.policyConfigured(policy, origins: ["candidate": origin, "baseline": origin])
            generator = SeededGenerator(seed: seed)
            self.step = step
        }

        /// A number that is random, and the same for the same seed.
        mutating func random() -> Int { Int(generator.next() >> 33) }

        @discardableResult
        mutating func pair(
            _ production: RecordedResponse?,
            candidate: Result<RecordedResponse, ShadowFailure>,
            repeated: Result<RecordedResponse, ShadowFailure>? = nil,
            baseline: Result<RecordedResponse, ShadowFailure>? = nil,
            key: UInt64? = nil,
            path: String? = nil,
            lag: Int64 = 1_000_000,
            took: Int64 = 0,
            latency: (candidate: Int64, baseline: Int64) = (0, 0),
            wait: Int64 = 0,
            baselineEarlier: Int64? = nil,
            firstByte: (candidate: Int64, baseline: Int64) = (0, 0),
            lostCredentials: Bool = false
        ) -> ComparisonWord {
            request += 1
            let time = start + Int64(request) * step
            let exchange = RecordedExchange(
                request: RecordedRequest(
                    method: "GET",
                    target: Array((path ?? "/items/\(request)").utf8),
                    message: RecordedMessage(fields: [RecordedField(name: "Host", value: "shop.example.com")])
                ),
                response: production,
                route: Self.route,
                startTime: time,
                durationNanoseconds: took
            )
            book.sampled(Self.lane, route: Self.route)
            return book.compared(
                ComparedPair(
                    lane: Self.lane,
                    keyHash: key ?? UInt64(request),
                    time: time + took + lag,
                    production: exchange,
                    candidate: ShadowAnswer(
                        result: candidate,
                        intendedTime: time + took + lag - wait,
                        queueNanoseconds: wait,
                        firstByteNanoseconds: firstByte.candidate,
                        durationNanoseconds: latency.candidate
                    ),
                    repeated: repeated.map { ShadowAnswer(result: $0) },
                    baseline: baseline.map {
                        ShadowAnswer(
                            result: $0,
                            intendedTime: baselineEarlier.map { time + took + lag - $0 } ?? 0,
                            firstByteNanoseconds: firstByte.baseline,
                            durationNanoseconds: latency.baseline
                        )
                    },
                    lostCredentials: lostCredentials
                ),
                curl: { "curl 'http://staging/items/\(request)'" }
            )
        }

        /// When the last request was.
        var now: Int64 { start + Int64(request) * step }

        var verdict: RouteVerdict {
            mutating get throws { try #require(book.report().first) }
        }
    }

    static func item(price: Int = 100, id: Int = 7, tags: String = "1,2,3", name: String = "a") -> RecordedResponse {
        AnswerComparatorTests.json(#"{"price":\#(price),"trace":\#(id),"tags":[\#(tags)],"name":"\#(name)"}"#)
    }

    // MARK: - Changes are found, with the right place

    struct Change: Sendable, CustomTestStringConvertible {
        let label: String
        let place: AnswerPlace
        let kind: DifferenceKind
        var reason = VerdictReason.beyondMargin
        let answer: @Sendable () -> RecordedResponse

        var testDescription: String { label }
    }

    @Test(arguments: [
        Change(label: "status", place: .status, kind: .statusClass, reason: .errors) {
            AnswerComparatorTests.answer("oops", status: 500)
        },
        Change(label: "a JSON field", place: .content("price"), kind: .value) { item(price: 101) },
        Change(label: "order", place: .content("tags[]"), kind: .order) { item(tags: "3,2,1") },
        Change(label: "a response field", place: .field("content-type"), kind: .value) {
            var response = item()
            response.message.fields = [RecordedField(name: "Content-Type", value: "application/problem+json")]
            return response
        },
    ])
    func `a target that changed fails at the place that changed, and the same one passes`(change: Change) throws {
        var changed = Bench(hasBaseline: true)
        var same = Bench(hasBaseline: true)
        for _ in 0..<1000 {
            changed.pair(Self.item(), candidate: .success(change.answer()), baseline: .success(Self.item()))
        }
        for _ in 0..<5000 {
            same.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        }
        let verdict = try changed.verdict
        #expect(verdict.verdict == .fail && verdict.design == .baseline && verdict.reason == change.reason)
        #expect(verdict.places.filter(\.fails).map(\.place) == [change.place])
        #expect(verdict.places.first?.kinds == [change.kind])
        #expect(verdict.examples.count == 5)
        #expect(
            verdict.examples.allSatisfy { $0.curl.hasPrefix("curl ") && $0.differences.map(\.place) == [change.place] }
        )
        #expect(try same.verdict.verdict == .pass)
        #expect(try same.verdict.places.isEmpty)
        #expect(try same.verdict.comparisons == [.same: 5000])
    }

    @Test func `latency beyond the margin fails, and like latency does not`() throws {
        var slow = Bench(hasBaseline: true)
        var like = Bench(hasBaseline: true)
        for _ in 0..<1000 {
            let noise = { (bench: inout Bench) in Int64(1_000_000 + bench.random() % 1_000_000) }
            let answer = Self.item()
            slow.pair(
                answer,
                candidate: .success(answer),
                baseline: .success(answer),
                latency: (noise(&slow) * 3 / 2, noise(&slow))
            )
        }
        for _ in 0..<5000 {
            let noise = { (bench: inout Bench) in Int64(1_000_000 + bench.random() % 1_000_000) }
            let answer = Self.item()
            like.pair(
                answer,
                candidate: .success(answer),
                baseline: .success(answer),
                latency: (noise(&like), noise(&like))
            )
        }
        let verdict = try slow.verdict
        #expect(verdict.verdict == .fail && verdict.reason == .latency)
        let latency = try #require(verdict.latency)
        #expect(latency.classification == .higher)
        #expect(latency.ratioLower < 1.5 && latency.ratioUpper > 1.5)
        #expect(try like.verdict.verdict == .pass)
        #expect(try like.verdict.latency?.classification == .similar)
    }

    @Test func `a target that is slow for a moment after its start does not fail, however many requests fall into it`()
        throws
    {
        var bench = Bench(hasBaseline: true, step: 20_000_000)
        for number in 0..<3000 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                // The first 1,000 requests are those of twenty seconds.
                latency: (number < 1000 ? 12_000_000 : 6_000_000, 6_000_000)
            )
            if number % 100 == 99 { #expect(try bench.verdict.verdict != .fail) }
        }
        #expect(try bench.verdict.latency?.classification == .similar)
    }

    @Test func `a target that stays slow fails once that has been so in enough blocks of time`() throws {
        var bench = Bench(hasBaseline: true, step: 20_000_000)
        func run(_ seconds: Int) {
            for _ in 0..<seconds * 50 {
                bench.pair(
                    Self.item(),
                    candidate: .success(Self.item()),
                    baseline: .success(Self.item()),
                    latency: (12_000_000, 6_000_000)
                )
            }
        }
        run(96)
        // Nor does it pass meanwhile, nor is it called similar.
        #expect(try bench.verdict.verdict == .inconclusive && bench.verdict.reason == .moreNeeded)
        #expect(try bench.verdict.latency?.classification == .unknown)
        #expect(try bench.verdict.recent?.verdict == .inconclusive)
        #expect(try bench.verdict.remedy.contains("latencyMargin"))
        run(54)
        #expect(try bench.verdict.reason == .latency)
    }

    @Test func `latency of a few pairs gives no verdict`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<299 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                latency: (9_000_000, 1_000_000)
            )
        }
        #expect(try bench.verdict.latency?.classification == .unknown)
        #expect(try bench.verdict.verdict != .fail)
    }

    // MARK: - Noise

    @Test func `noise that baseline and candidate share does not fail, and a change in it does`() throws {
        var same = Bench(hasBaseline: true)
        var changed = Bench(hasBaseline: true)
        for _ in 0..<5000 {
            same.pair(
                Self.item(id: same.random()),
                candidate: .success(Self.item(id: same.random())),
                baseline: .success(Self.item(id: same.random()))
            )
            changed.pair(
                Self.item(id: changed.random()),
                candidate: .success(Self.item(price: 99, id: changed.random())),
                baseline: .success(Self.item(id: changed.random()))
            )
        }
        #expect(try same.verdict.verdict == .pass)
        #expect(try #require(same.verdict.noiseFloor) < 0.1)
        #expect(try changed.verdict.verdict == .fail)
        #expect(try changed.verdict.places.filter(\.fails).map(\.place) == [.content("price")])
    }

    @Test
    func
        `a number that varies at the target is learned from repeats, and asked for in production before the target passes`()
        throws
    {
        var bench = Bench(hasBaseline: false)
        for index in 0..<3000 {
            let answer = { (bench: inout Bench) in
                Result<RecordedResponse, ShadowFailure>.success(Self.item(id: bench.random()))
            }
            bench.pair(
                Self.item(id: bench.random()),
                candidate: answer(&bench),
                repeated: index.isMultiple(of: 10) ? answer(&bench) : nil
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .unconfirmed)
        #expect(verdict.remedy.contains("content trace"))
        #expect(verdict.design == .repeats)
        #expect(verdict.noisePairs == 300)
        #expect(verdict.comparisons[.noise, default: 0] > 2000)
        #expect(verdict.places.first { $0.place == .content("trace") }?.isVolatile == true)
    }

    @Test func `a volatile value that loses its shape is found all the same`() throws {
        var bench = Bench(hasBaseline: false)
        for index in 0..<2000 {
            let broken = AnswerComparatorTests.json(#"{"price":100,"trace":null,"tags":[1,2,3],"name":"a"}"#)
            let answer = { (bench: inout Bench) in index < 1000 ? Self.item(id: bench.random()) : broken }
            bench.pair(
                Self.item(id: bench.random()),
                candidate: .success(answer(&bench)),
                repeated: index.isMultiple(of: 5) ? .success(answer(&bench)) : nil
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .different && verdict.design == .repeats)
        #expect(verdict.places.filter(\.fails).map(\.place) == [.content("trace")])
    }

    @Test func `a place that fails though the baseline differs there too is named, with an example`() throws {
        func origin(_ value: String) -> RecordedResponse {
            AnswerComparatorTests.answer("a", fields: [("X-Origin", value)])
        }
        var shape = Bench(hasBaseline: true)
        var token = Bench(hasBaseline: true)
        func new(_ bench: inout Bench) -> RecordedResponse {
            origin("\(bench.random() | 1 << 60)\(bench.random() | 1 << 60)")
        }
        for _ in 0..<1000 {
            shape.pair(
                origin("https://www.example.org"),
                candidate: .success(origin("null")),
                baseline: .success(origin("https://dev.example.org"))
            )
            token.pair(
                new(&token),
                candidate: .success(origin("12345678901234567890123456789012345678")),
                baseline: .success(new(&token))
            )
        }
        for verdict in [try shape.verdict, try token.verdict] {
            #expect(verdict.verdict == .fail)
            #expect(verdict.places.filter(\.fails).map(\.place) == [.field("x-origin")])
            #expect(verdict.examples.first?.differences.map(\.place) == [.field("x-origin")])
        }
        #expect(try shape.verdict.places.first?.repeats == 0)
        #expect(try token.verdict.places.first?.repeats ?? 0 > 400)
    }

    @Test func `a value that takes turns is told from one that is new each time by the pairs before`() {
        var new = RepeatedValue()
        var few = RepeatedValue()
        var found: [[RepeatedValue.Side]] = [[], []]
        for number in 0..<200 {
            found[0].append(new.observed(candidate: "same", reference: "\(number)"))
            // The second of each two is like the first in one of three cases.
            found[1].append(few.observed(candidate: "same", reference: number % 6 < 2 ? "a" : "\(number % 3)"))
        }
        #expect(found[0].suffix(160).filter { $0 != .neither } == Array(repeating: .ofNewValues(1), count: 80))
        #expect(!found[1].contains(.ofNewValues(1)) && found[1].contains(.ofFewValues(1)))
    }

    @Test func `an identifier is presumed volatile until repeats show it stable`() throws {
        var bench = Bench(hasBaseline: true)
        let ours = Self.item(name: "0b9d4a5e-6c3f-4b39-9d3a-0d4b1f2a3c4d")
        let other = Self.item(name: "ffffffff-6c3f-4b39-9d3a-0d4b1f2a3c4d")
        #expect(bench.pair(ours, candidate: .success(other), baseline: .success(ours)) == .noise)
        for _ in 0..<300 { bench.pair(ours, candidate: .success(ours), baseline: .success(ours)) }
        #expect(bench.pair(ours, candidate: .success(other), baseline: .success(ours)) == .bodyDiffers)
    }

    private static func identifier(_ number: Int) -> String {
        "\(String(UInt32(truncatingIfNeeded: number) | 1 << 31, radix: 16))-6c3f-4b39-9d3a-0d4b1f2a3c4d"
    }

    @Test func `identifiers that nothing was held against do not pass`() throws {
        var bench = Bench(hasBaseline: false)
        for index in 0..<5000 {
            bench.pair(
                Self.item(name: Self.identifier(index)),
                candidate: .success(Self.item(name: Self.identifier(0)))
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .unconfirmed)
        #expect(verdict.remedy.contains("content name"))
    }

    @Test func `identifiers that vary at the target alone are different, and those that vary at both pass`() throws {
        var wrong = Bench(hasBaseline: false)
        var right = Bench(hasBaseline: false)
        for index in 0..<5000 {
            let path = "/items/\(index / 4)"
            wrong.pair(
                Self.item(name: Self.identifier(7)),
                candidate: .success(Self.item(name: Self.identifier(wrong.random()))),
                repeated: .success(Self.item(name: Self.identifier(wrong.random()))),
                path: path
            )
            right.pair(
                Self.item(name: Self.identifier(right.random())),
                candidate: .success(Self.item(name: Self.identifier(right.random()))),
                repeated: index.isMultiple(of: 10) ? .success(Self.item(name: Self.identifier(right.random()))) : nil,
                path: path
            )
        }
        #expect(try wrong.verdict.verdict == .different)
        #expect(try wrong.verdict.places.filter(\.fails).map(\.place) == [.content("name")])
        #expect(try wrong.verdict.lasting?.lastSeen != nil)
        #expect(try right.verdict.verdict == .pass)
    }

    @Test func `a verdict that passes names the places where only the two targets were compared`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<5000 {
            bench.pair(Self.item(), candidate: .success(Self.item(price: 7)), baseline: .success(Self.item(price: 7)))
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .pass && verdict.shared == [.content("price")])
        let ending = "at content price both differ from production, and were compared with each other"
        #expect(verdict.explanation.hasSuffix(ending))
    }

    @Test func `a verdict that passes names the places where the two targets differ from each other too`() throws {
        var bench = Bench(hasBaseline: true)
        for index in 0..<6000 {
            bench.pair(
                Self.item(name: "product \(index)"),
                candidate: .success(Self.item(price: 7, name: "PRUEFLING \(index)")),
                baseline: .success(Self.item(price: 7, name: "pruefling \(index)"))
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .pass && verdict.shared == [.content("name"), .content("price")])
        #expect(verdict.sharedShapes == [.content("name")])
        #expect(verdict.explanation.hasSuffix("; at content name by shape only, as they mostly differ there too"))
    }

    @Test func `values and shapes that vary at all three hide nothing, and take more pairs only`() throws {
        var words = Bench(hasBaseline: true)
        var texts = Bench(hasBaseline: true)
        func word(_ bench: inout Bench) -> RecordedResponse {
            Self.item(name: ["one", "two", "six"][bench.random() % 3])
        }
        func text(_ bench: inout Bench) -> RecordedResponse {
            Self.item(name: String(repeating: "no ", count: 1 << (bench.random() % 10)))
        }
        for _ in 0..<2000 {
            words.pair(word(&words), candidate: .success(word(&words)), baseline: .success(word(&words)))
            texts.pair(text(&texts), candidate: .success(text(&texts)), baseline: .success(text(&texts)))
        }
        for verdict in [try words.verdict, try texts.verdict] {
            #expect(verdict.reason == .moreNeeded && verdict.shared == [.content("name")])
        }
    }

    @Test func `lists whose order varies are learned, and then compared as sets and by their order apart`() throws {
        var bench = Bench(hasBaseline: true)
        let orders = ["1,2,3", "3,1,2", "2,3,1", "3,2,1"]
        func any(_ bench: inout Bench) -> String { orders[bench.random() % 4] }
        for _ in 0..<400 {
            bench.pair(
                Self.item(tags: any(&bench)),
                candidate: .success(Self.item(tags: any(&bench))),
                baseline: .success(Self.item(tags: any(&bench)))
            )
        }
        #expect(
            bench.pair(
                Self.item(tags: "1,2,3"),
                candidate: .success(Self.item(tags: "3,2,1")),
                baseline: .success(Self.item())
            )
                == .noise
        )
        #expect(
            bench.pair(
                Self.item(tags: "1,2,3"),
                candidate: .success(Self.item(tags: "3,2,9")),
                baseline: .success(Self.item())
            )
                == .bodyDiffers
        )
    }

    /// A list in one of many orders.
    private static func shuffled(_ bench: inout Bench) -> RecordedResponse {
        item(tags: [1, 2, 3, 4, 5].shuffled(using: &bench.generator).map(String.init).joined(separator: ","))
    }

    @Test func `an order that is random at the target alone does not pass by its own second responses`() throws {
        var bench = Bench(hasBaseline: false)
        for number in 0..<3000 {
            bench.pair(
                Self.item(tags: "1,2,3,4,5"),
                candidate: .success(Self.shuffled(&bench)),
                repeated: .success(Self.shuffled(&bench))
            )
            if number % 250 == 249 { #expect(try bench.verdict.verdict == .inconclusive) }
        }
        #expect(try bench.verdict.reason == .unconfirmed)
        #expect(try bench.verdict.remedy.contains("content tags[]"))
        #expect(try bench.verdict.remedy.hasSuffix("means nothing (tags), name it in comparison.unorderedPaths"))
    }

    @Test func `an order that varies in production too is confirmed`() throws {
        var bench = Bench(hasBaseline: false)
        for number in 0..<6000 {
            bench.pair(
                Self.shuffled(&bench),
                candidate: .success(Self.shuffled(&bench)),
                repeated: .success(Self.shuffled(&bench)),
                path: "/items/\(number / 2)"
            )
        }
        #expect(try bench.verdict.reason != .unconfirmed)
    }

    @Test func `an order that varied once in a while before hides no order that is random since`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<1500 {
            let fixed = Self.item(tags: "1,2,3,4,5")
            bench.pair(
                fixed,
                candidate: .success(number < 300 ? fixed : Self.shuffled(&bench)),
                baseline: .success([100, 200].contains(number) ? Self.item(tags: "2,1,3,4,5") : fixed)
            )
        }
        #expect(try bench.verdict.verdict == .fail)
        #expect(try bench.verdict.places.filter(\.fails).map(\.place) == [.content("tags[]")])
    }

    @Test func `an order that varies at both passes beside a baseline`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<4000 {
            bench.pair(
                Self.item(tags: "1,2,3,4,5"),
                candidate: .success(Self.shuffled(&bench)),
                baseline: .success(Self.shuffled(&bench))
            )
            if number % 500 == 499 { #expect(try bench.verdict.verdict != .fail) }
        }
        // It takes many pairs, unless the order is said to mean nothing.
        let verdict = try bench.verdict
        #expect(verdict.verdict == .pass || verdict.remedy.hasSuffix("(tags), name it in comparison.unorderedPaths"))
        var sets = Bench(hasBaseline: true) { $0.unorderedPaths = ["tags"] }
        for _ in 0..<5000 {
            sets.pair(
                Self.shuffled(&sets),
                candidate: .success(Self.shuffled(&sets)),
                baseline: .success(Self.shuffled(&sets))
            )
        }
        #expect(try sets.verdict.verdict == .pass)
    }

    @Test func `natural repeats in production serve as a reference without any call`() throws {
        var bench = Bench(hasBaseline: false)
        for index in 0..<600 {
            bench.pair(
                Self.item(id: bench.random()),
                candidate: .success(Self.item(price: 99, id: bench.random())),
                path: "/items/\(index / 2)"
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.design == .naturalRepeats)
        #expect(verdict.noisePairs == 300 && verdict.votes == 300)
        #expect(verdict.verdict == .different)
        #expect(verdict.places.filter(\.fails).map(\.place) == [.content("price")])
    }

    @Test func `differences of the environment that both targets have hide no change elsewhere`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<200 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(tags: "1", name: "staging")),
                baseline: .success(Self.item(name: "staging"))
            )
        }
        #expect(try bench.verdict.verdict == .fail)
        #expect(try bench.verdict.places.filter(\.fails).map(\.place) == [.content("tags[]")])
    }

    // MARK: - What may be said without a reference

    @Test func `candidate only never fails, and says that it is unadjusted`() throws {
        var bench = Bench(hasBaseline: false)
        for _ in 0..<2000 { bench.pair(Self.item(), candidate: .success(Self.item(price: 1))) }
        let verdict = try bench.verdict
        #expect(verdict.design == .unadjusted && verdict.verdict == .inconclusive && verdict.reason == .unadjusted)
        #expect(verdict.mismatches == 2000 && verdict.excess == 1)
        #expect(verdict.places.allSatisfy { !$0.fails })
        #expect(verdict.examples.count == 5)
    }

    @Test func `candidate only passes when it answers like production`() throws {
        var bench = Bench(hasBaseline: false)
        for _ in 0..<5000 { bench.pair(Self.item(), candidate: .success(Self.item())) }
        #expect(try bench.verdict.verdict == .pass)
        #expect(try bench.verdict.reason == .likeProduction)
    }

    // MARK: - What is not comparable

    @Test func `a target that turns requests away is not comparable`() throws {
        var bench = Bench(hasBaseline: true)
        let refused = AnswerComparatorTests.answer("log in", status: 401)
        for _ in 0..<1500 { bench.pair(Self.item(), candidate: .success(refused), baseline: .success(refused)) }
        #expect(try bench.verdict.verdict == .inconclusive)
        #expect(try bench.verdict.reason == .notComparable)
        var broken = Bench(hasBaseline: true)
        for _ in 0..<1500 { broken.pair(Self.item(), candidate: .success(refused), baseline: .success(Self.item())) }
        #expect(try broken.verdict.verdict == .fail)
    }

    @Test func `a timeout beside a good baseline is a difference, not a gap`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<120 { bench.pair(Self.item(), candidate: .failure(.timeout), baseline: .success(Self.item())) }
        #expect(try bench.verdict.errors.worse == 120 && bench.verdict.coverage == 1)
        #expect(try bench.verdict.verdict == .fail)
        #expect(try bench.verdict.places.filter(\.fails).map(\.place) == [.outcome])
    }

    @Test(arguments: [true, false])
    func `a timeout where production takes as long is no error, and says what to do`(hasBaseline: Bool) throws {
        var bench = Bench(hasBaseline: hasBaseline)
        for _ in 0..<200 {
            let word = bench.pair(
                Self.item(),
                candidate: .failure(.timeout),
                baseline: hasBaseline ? .failure(.timeout) : nil,
                took: 8_500_000_000,
                latency: (10_000_000_000, 10_000_000_000)
            )
            #expect(word == .skipped)
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .coverage && verdict.errors.worse == 0)
        #expect(verdict.missed == [.slow: 200])
        #expect(verdict.remedy.contains("raise the timeout of candidate"))
    }

    @Test func `a timeout where production is quicker is an error`() throws {
        var bench = Bench(hasBaseline: false)
        for _ in 0..<120 {
            bench.pair(
                Self.item(),
                candidate: .failure(.timeout),
                took: 7_000_000_000,
                latency: (10_000_000_000, 0)
            )
        }
        #expect(try bench.verdict.reason == .errors)
    }

    @Test func `pairs that say nothing are counted by cause and lower the coverage`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<20 { bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item())) }
        #expect(bench.pair(nil, candidate: .success(Self.item()), baseline: .success(Self.item())) == .skipped)
        bench.pair(Self.item(), candidate: .failure(.cancelled), baseline: .success(Self.item()))
        bench.pair(Self.item(), candidate: .success(Self.item()))
        bench.pair(Self.item(), candidate: .failure(.reset), baseline: .failure(.timeout))
        bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()), lag: 31_000_000_000)
        bench.book.sampled(Bench.lane, route: Bench.route)
        bench.book.missed(Bench.lane, route: Bench.route, reason: .dropped)
        let verdict = try bench.verdict
        #expect(verdict.missed == [.production: 1, .cancelled: 1, .baseline: 2, .lag: 1, .dropped: 1])
        #expect(verdict.sampled == 26 && verdict.pairs == 20)
        #expect(verdict.verdict == .inconclusive && verdict.reason == .coverage)
    }

    @Test func `content that cannot be read is no equal content`() throws {
        var bench = Bench(hasBaseline: true)
        let coded = { (text: String) in AnswerComparatorTests.answer(text, fields: [("Content-Encoding", "zstd")]) }
        for _ in 0..<1000 { bench.pair(coded("a"), candidate: .success(coded("b")), baseline: .success(coded("c"))) }
        #expect(try bench.verdict.reason == .unreadable)
        #expect(try bench.verdict.unread == 1000)
        #expect(try bench.verdict.comparisons == [.unread: 1000])
    }

    @Test func `content that was kept in part is not called the same`() throws {
        var bench = Bench(hasBaseline: false)
        var long = AnswerComparatorTests.answer("first line\nsecond")
        long.message.contentOctets = 2 << 20
        #expect(bench.pair(long, candidate: .success(long)) == .cut)
        long.message.fields = [RecordedField(name: "Content-Encoding", value: "gzip")]
        #expect(bench.pair(long, candidate: .success(long)) == .cut)
        #expect(try bench.verdict.cut == 2 && bench.verdict.unread == 0)
    }

    @Test func `what is left out whatever the target answers is no gap, and what may hide failures is`() throws {
        var thinned = Bench(hasBaseline: true)
        var hidden = Bench(hasBaseline: true)
        for _ in 0..<5000 {
            thinned.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
            hidden.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        }
        thinned.book.sampled(Bench.lane, route: Bench.route, count: 50_000)
        thinned.book.missed(Bench.lane, route: Bench.route, reason: .thinned, count: 50_000)
        #expect(try thinned.verdict.verdict == .pass && thinned.verdict.coverage == 1)
        hidden.book.sampled(Bench.lane, route: Bench.route, count: 500)
        hidden.book.missed(Bench.lane, route: Bench.route, reason: .breaker, count: 500)
        let verdict = try hidden.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .breaker)
        // Ninety-five in a hundred of 500 missing and so many compared.
        #expect((4490...4510).contains(verdict.pairsNeeded ?? 0))
    }

    @Test func `a target that fails even if all that is missing was equal fails`() throws {
        var bench = Bench(hasBaseline: true)
        for index in 0..<400 {
            let answer: Result<RecordedResponse, ShadowFailure> =
                index.isMultiple(of: 5) ? .failure(.reset) : .success(Self.item())
            bench.pair(Self.item(), candidate: answer, baseline: .success(Self.item()))
        }
        bench.book.sampled(Bench.lane, route: Bench.route, count: 1600)
        bench.book.missed(Bench.lane, route: Bench.route, reason: .dropped, count: 1600)
        #expect(try bench.verdict.verdict == .fail && bench.verdict.reason == .errors)
        #expect(try bench.verdict.coverage == 0.2)
    }

    @Test func `a target that nobody answers at fails by what the breaker lets through`() throws {
        var bench = Bench(hasBaseline: false)
        for _ in 0..<20 { bench.pair(Self.item(), candidate: .failure(.connect)) }
        for _ in 0..<10 {
            bench.book.sampled(Bench.lane, route: Bench.route, count: 3000)
            bench.book.missed(Bench.lane, route: Bench.route, reason: .breaker, count: 3000)
            bench.request += 30
            bench.pair(Self.item(), candidate: .failure(.connect))
        }
        #expect(try bench.verdict.verdict == .fail && bench.verdict.reason == .errors)
    }

    @Test func `one bad moment is no failure, however many requests fell into it`() throws {
        var bench = Bench(hasBaseline: true, step: 10_000_000)
        for index in 0..<6000 {
            let answer: Result<RecordedResponse, ShadowFailure> =
                (2000..<2200).contains(index) ? .failure(.connect) : .success(Self.item())
            bench.pair(Self.item(), candidate: answer, baseline: .success(Self.item()))
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .episode)
        #expect(verdict.errors.worse == 200)
    }

    @Test func `one bad moment is no failure either when every other response comes late`() throws {
        var bench = Bench(hasBaseline: true, step: 10_000_000)
        for index in 0..<6000 {
            let answer: Result<RecordedResponse, ShadowFailure> =
                (2000..<2200).contains(index) ? .failure(.connect) : .success(Self.item())
            bench.pair(
                Self.item(),
                candidate: answer,
                baseline: .success(Self.item()),
                lag: index.isMultiple(of: 2) ? 1_000_000 : 15_000_000_000
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .episode)
        #expect(verdict.errors.worse == 200)
        #expect(verdict.recent?.verdict != .fail)
    }

    // MARK: - What stays, and what begins anew

    @Test func `a failure stays with its time, and says when it was last seen, until it is judged anew`() throws {
        var bench = Bench(hasBaseline: true) { $0.recentWindow = .seconds(7200) }
        for _ in 0..<200 {
            bench.pair(Self.item(), candidate: .success(Self.item(price: 1)), baseline: .success(Self.item()))
        }
        #expect(try bench.verdict.verdict == .fail)
        for _ in 0..<9000 {
            bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .fail)
        #expect(verdict.lasting?.time == verdict.since + 199_000_000_000)
        #expect(verdict.lasting?.lastSeen == verdict.since + 199_000_000_000)
        #expect(verdict.recent?.verdict == .pass, "the last two hours alone")
        let (none, one) = (bench.book.judgedAnew(policy: "another"), bench.book.judgedAnew(policy: "canary"))
        #expect(none == 0 && one == 1)
        #expect(bench.book.report().isEmpty)
    }

    @Test func `another version of the target is judged anew, and two that take turns are not`() throws {
        var bench = Bench(hasBaseline: true) { $0.versionField = "x-app-version" }
        func answer(_ version: String, price: Int = 100) -> Result<RecordedResponse, ShadowFailure> {
            var response = Self.item(price: price)
            response.message.fields.append(RecordedField(name: "X-App-Version", value: version))
            return .success(response)
        }
        func pair(_ version: String) {
            bench.pair(Self.item(), candidate: answer(version), baseline: answer("1"))
        }
        for index in 0..<100 { pair(index.isMultiple(of: 2) ? "2" : "3") }
        #expect(try bench.verdict.pairs == 100)
        for _ in 0..<30 { pair("4") }
        #expect(try bench.verdict.pairs < 30)
        // That the version is another one is what was wanted.
        for _ in 0..<200 { pair("4") }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .moreNeeded)
        #expect(verdict.places.isEmpty)
    }

    // MARK: - Credentials

    @Test func `answers to requests without their credentials count when they are equal, and say nothing when not`()
        throws
    {
        var same = Bench(hasBaseline: false)
        var other = Bench(hasBaseline: false)
        for _ in 0..<5000 {
            same.pair(Self.item(), candidate: .success(Self.item()), lostCredentials: true)
            other.pair(Self.item(), candidate: .success(Self.item(price: 0)), lostCredentials: true)
        }
        #expect(try same.verdict.verdict == .pass)
        #expect(try other.verdict.verdict == .inconclusive && other.verdict.reason == .credentials)
        #expect(try other.verdict.ambiguous == 5000)
    }

    // MARK: - The slowest answers

    @Test func `more slow answers than at the baseline fail, though the median is the same`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<3000 {
            let noise = { (bench: inout Bench) in Int64(6_000_000 + bench.random() % 1_000_000) }
            let isSlow = bench.random() % 20 == 0
            let latency = (candidate: isSlow ? 100_000_000 : noise(&bench), baseline: noise(&bench))
            bench.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                latency: latency
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .fail && verdict.reason == .latencyTail)
        let latency = try #require(verdict.latency)
        #expect(latency.classification == .similar)
        #expect(latency.tail.candidateShare > 0.03 && latency.tail.baselineShare < 0.01)
    }

    @Test func `nothing is called similar while copies wait longer than the difference that is looked for`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<400 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                latency: (6_000_000, 6_000_000),
                wait: 10_000_000
            )
        }
        #expect(try bench.verdict.latency?.classification == .unknown)
    }

    // MARK: - Votes

    @Test func `one key has one vote in a window`() throws {
        var bench = Bench(hasBaseline: true, step: 1_000_000)
        for _ in 0..<500 {
            bench.pair(Self.item(), candidate: .success(Self.item(price: 1)), baseline: .success(Self.item()), key: 42)
        }
        #expect(try bench.verdict.pairs == 500 && bench.verdict.votes == 1)
        #expect(try (bench.verdict.worse - 1).magnitude < 1e-9 && bench.verdict.worsePairs == 500)
        #expect(try bench.verdict.verdict == .inconclusive)
        var short = Bench(hasBaseline: true, step: 1_000_000) { $0.voteWindow = .milliseconds(10) }
        for _ in 0..<500 {
            short.pair(Self.item(), candidate: .success(Self.item(price: 1)), baseline: .success(Self.item()), key: 42)
        }
        #expect(try short.verdict.votes == 50)
    }

    @Test func `a vote is the mean of what the requests of a key say`() throws {
        var bench = Bench(hasBaseline: true)
        for answer in [Self.item(), Self.item(price: 1), Self.item(name: "b"), Self.item(price: 2)] {
            bench.pair(Self.item(), candidate: .success(answer), baseline: .success(Self.item()), key: 42)
        }
        let verdict = try bench.verdict
        #expect(verdict.votes == 1 && verdict.worse == 0.75)
        #expect(verdict.worsePairs == 3)
        #expect(verdict.places.map(\.worse) == [2, 1])
    }

    // MARK: - Clocks, addresses, what is shown

    @Test func `a clock that was set back by an hour hides no failure`() throws {
        var bench = Bench(hasBaseline: true)
        bench.request = 7200
        for _ in 0..<200 { bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item())) }
        bench.request = 3600
        for _ in 0..<300 {
            bench.pair(Self.item(), candidate: .success(Self.item(price: 1)), baseline: .success(Self.item()))
        }
        #expect(try bench.verdict.verdict == .fail)
        #expect(try #require(bench.verdict.recent).since <= 3900 * 1_000_000_000)
    }

    @Test func `a target that moved is judged anew, and with the baseline the whole policy`() throws {
        var bench = Bench(hasBaseline: true)
        var policy = ComparisonPolicy(name: "canary", targets: ["candidate"])
        policy.baseline = "baseline"
        var addresses = ["candidate": "one:80", "baseline": "old:80"]
        for moved in ["candidate", "baseline"] {
            bench.book.policyConfigured(policy, addresses: addresses)
            bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
            bench.book.policyConfigured(policy, addresses: addresses)
            #expect(try bench.verdict.pairs == 1)
            addresses[moved] = "elsewhere:80"
            bench.book.policyConfigured(policy, addresses: addresses)
            #expect(bench.book.report().isEmpty)
        }
    }

    @Test func `latencies count only where neither of the two is mostly asked later`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<600 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                latency: (9_000_000, 3_000_000),
                baselineEarlier: 2_000_000_000
            )
        }
        let latency = try #require(try bench.verdict.latency)
        #expect(latency.classification == .unknown && latency.pairs <= 6)
    }

    @Test func `a verdict that is shown is up to date once no more pairs come`() {
        var bench = Bench(hasBaseline: true)
        func pair() {
            bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        }
        bench.step = 1_000_000
        for _ in 0..<1000 { pair() }
        #expect(bench.book.report(isExact: false).first?.pairs == 1000)
        for _ in 0..<5 { pair() }
        #expect(bench.book.report(isExact: false).first?.pairs == 1000)
        #expect(bench.book.report(isExact: false).first?.pairs == 1005)
    }

    @Test(arguments: [MissedReason.lag, .production, .thinned, .baseline])
    func `nothing to compare has a reason and a remedy`(reason: MissedReason) throws {
        var bench = Bench(hasBaseline: true)
        bench.book.sampled(Bench.lane, route: Bench.route, count: 10)
        bench.book.missed(Bench.lane, route: Bench.route, reason: reason, count: 10)
        let verdict = try bench.verdict
        #expect(verdict.reason == .coverage && verdict.remedy != "see what was missed")
    }

    @Test(arguments: [(left: UInt64(9), raising: true), (left: 11, raising: false)])
    func `who waits for pairs is to sample more, unless most of the copies are left out`(
        left: UInt64,
        raising: Bool
    ) throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<10 {
            bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        }
        bench.book.sampled(Bench.lane, route: Bench.route, count: left)
        bench.book.missed(Bench.lane, route: Bench.route, reason: .thinned, count: left)
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .moreNeeded)
        #expect(verdict.remedy.contains("raise percent") == raising)
    }

    // MARK: - Bounds

    @Test func `routes, places, votes and examples are bounded, and the rest counted`() throws {
        var limits = VerdictLimits()
        limits.routes = 1
        limits.places = 4
        limits.votes = 10
        limits.examples = 6
        var bench = Bench(hasBaseline: true, limits: limits)
        for index in 0..<100 {
            bench.pair(
                Self.item(),
                candidate: .success(AnswerComparatorTests.json(#"{"member_\#(index)_x":1}"#)),
                baseline: .success(Self.item())
            )
        }
        bench.book.sampled(Bench.lane, route: RouteName(route: "another"))
        let verdict = try bench.verdict
        #expect(verdict.places.count == 4 && verdict.places.contains { $0.place == .other })
        #expect(verdict.overflowed > 0)
        #expect(bench.book.records[0].places.records.reduce(0) { $0 + $1.examples.count } == 6)
        #expect(bench.book.forgottenVotes == 90)
        #expect(bench.book.unjudged == 1 && bench.book.report().count == 1)
    }

    @Test func `a policy that compares otherwise begins anew, and one that is gone is forgotten`() throws {
        var bench = Bench(hasBaseline: true)
        bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        var policy = ComparisonPolicy(name: "canary", targets: ["candidate"])
        policy.baseline = "baseline"
        policy.secretFields = ["x-session"]
        bench.book.policyConfigured(policy)
        #expect(try bench.verdict.pairs == 1)
        policy.settings.ignoredPaths = ["trace"]
        bench.book.policyConfigured(policy)
        #expect(bench.book.report().isEmpty)
        bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        policy.targets = ["another"]
        bench.book.policyConfigured(policy)
        #expect(bench.book.report().isEmpty)
        #expect(bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item())) == .skipped)
        policy.targets = ["candidate"]
        bench.book.policyConfigured(policy)
        bench.pair(Self.item(), candidate: .success(Self.item()), baseline: .success(Self.item()))
        #expect(try bench.verdict.pairs == 1)
        bench.book.policyRemoved("canary")
        #expect(bench.book.report().isEmpty)
        #expect(bench.pair(Self.item(), candidate: .success(Self.item())) == .skipped)
    }

    @Test func `the same pairs give the same report`() throws {
        func report() throws -> [UInt8] {
            var bench = Bench(hasBaseline: true, seed: 9)
            for _ in 0..<200 {
                bench.pair(
                    Self.item(id: bench.random()),
                    candidate: .success(Self.item(price: bench.random() % 3, id: bench.random())),
                    baseline: .success(Self.item(id: bench.random()))
                )
            }
            return try bench.verdict.document.encoded()
        }
        let first = try report()
        let second = try report()
        #expect(first == second)
        let document = try JSONDocument.parse(first)
        #expect(document["verdict"] == "fail")
        #expect(document["design"] == "D2")
    }

    // MARK: - The breaker of the target

    /// A route of a target that is down: its last pair failed, and from then on the breaker holds its requests back.
    private func benchOfTargetThatIsDown(hasBaseline: Bool, clean: Int, failed: Int) -> Bench {
        var bench = Bench(hasBaseline: hasBaseline)
        let item = Self.item()
        for _ in 0..<clean {
            bench.pair(item, candidate: .success(item), baseline: hasBaseline ? .success(item) : nil)
        }
        for _ in 0..<failed {
            bench.pair(item, candidate: .failure(.connect), baseline: hasBaseline ? .success(item) : nil)
        }
        bench.book.sampled(Bench.lane, route: Bench.route, count: 300)
        bench.book.missed(Bench.lane, route: Bench.route, reason: .breaker, count: 300)
        return bench
    }

    @Test(arguments: [true, false])
    func `a target whose breaker opens again and again alone fails, on a route that saw one failure`(
        hasBaseline: Bool
    ) throws {
        var bench = benchOfTargetThatIsDown(hasBaseline: hasBaseline, clean: 0, failed: 1)
        for openings in 1...20 as ClosedRange<UInt64> {
            let state = BreakerState(openings: openings, isOpen: true)
            let time = Int64(openings) * 30_000_000_000
            bench.book.breakersSeen(["candidate": state, "baseline": BreakerState()], at: time)
            let verdict = try bench.verdict
            let expected: (Verdict, VerdictReason) = openings < 11 ? (.inconclusive, .breaker) : (.fail, .breakerAlone)
            #expect(verdict.verdict == expected.0 && verdict.reason == expected.1, "\(openings): \(verdict.reason)")
            #expect(!verdict.remedy.isEmpty)
        }
        #expect(try bench.verdict.breaker.candidate == 20)
    }

    @Test func `a breaker that opens every second tells of one event in half a minute`() throws {
        var bench = benchOfTargetThatIsDown(hasBaseline: true, clean: 0, failed: 1)
        for openings in 1...20 as ClosedRange<UInt64> {
            let state = BreakerState(openings: openings, isOpen: true)
            bench.book.breakersSeen(["candidate": state], at: Int64(openings) * 1_000_000_000)
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.breaker.candidate == 1)
    }

    @Test func `a breaker that opens on the baseline too says nothing against the candidate`() throws {
        var bench = benchOfTargetThatIsDown(hasBaseline: true, clean: 0, failed: 1)
        let state = BreakerState(openings: 30, isOpen: true)
        bench.book.breakersSeen(["candidate": state, "baseline": state], at: bench.now)
        #expect(try bench.verdict.verdict == .inconclusive)
    }

    @Test func `a route that answers right neither fails nor passes while the breaker of its target is open`() throws {
        var bench = Bench(hasBaseline: true)
        let item = Self.item()
        for _ in 0..<5000 { bench.pair(item, candidate: .success(item), baseline: .success(item)) }
        #expect(try bench.verdict.verdict == .pass)
        bench.book.breakersSeen(
            ["candidate": BreakerState(openings: 40, isOpen: true), "baseline": BreakerState()],
            at: bench.now
        )
        let open = try bench.verdict
        #expect(open.verdict == .inconclusive && open.reason == .breaker)
        bench.book.breakersSeen(
            ["candidate": BreakerState(openings: 40, isOpen: false), "baseline": BreakerState()],
            at: bench.now
        )
        #expect(try bench.verdict.verdict == .pass)
    }

    @Test func `openings before a verdict began do not count for it`() throws {
        var bench = Bench(hasBaseline: true)
        bench.book.breakersSeen(["candidate": BreakerState(openings: 40, isOpen: true)], at: bench.now)
        bench.pair(Self.item(), candidate: .failure(.connect), baseline: .success(Self.item()))
        bench.book.breakersSeen(["candidate": BreakerState(openings: 41, isOpen: true)], at: bench.now)
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.breaker.candidate == 1)
    }

    // MARK: - Credentials

    @Test func `values that vary by themselves are no sign of other credentials, from before that was known either`()
        throws
    {
        var bench = Bench(hasBaseline: false)
        for number in 0..<2000 {
            // What varies is confirmed by production's own answers to like requests.
            bench.pair(
                Self.item(id: bench.random()),
                candidate: .success(Self.item(id: bench.random())),
                repeated: .success(Self.item(id: bench.random())),
                path: "/items/\(number % 5)",
                lostCredentials: true
            )
        }
        #expect(try bench.verdict.ambiguous > 10)
        #expect(try bench.verdict.reason != .credentials)
    }

    // MARK: - Order of asking

    /// A version that did not change, with a value that follows the clock, one of ten seconds.
    private static func clock(_ nanoseconds: Int64) -> RecordedResponse {
        AnswerComparatorTests.json(#"{"now":\#(nanoseconds / 1_000_000_000),"price":1}"#)
    }

    @Test func `what follows the clock is not worse at a candidate that is always asked later`() throws {
        var bench = Bench(hasBaseline: true, step: 100_000_000)
        for number in 0..<6000 {
            let time = Int64(number) * 100_000_000 + Int64(bench.random() % 100_000_000)
            let later = 20_000_000 + Int64(bench.random() % 500_000_000)
            bench.pair(
                Self.clock(time),
                candidate: .success(Self.clock(time + 3_000_000 + later)),
                baseline: .success(Self.clock(time + 3_000_000)),
                baselineEarlier: later
            )
            if number % 500 == 499 { #expect(try bench.verdict.verdict != .fail) }
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .apart)
        #expect(verdict.apart > 1000)
    }

    @Test(arguments: [0, 4])
    func `a few pairs set aside for their moments are not what a young verdict waits for`(wrong: Int) throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<82 {
            bench.pair(
                Self.item(),
                candidate: number % 20 < wrong ? .failure(.reset) : .success(Self.item(price: number == 30 ? 99 : 100)),
                baseline: .success(Self.item()),
                baselineEarlier: 0,
                firstByte: (number == 30 ? 50_000_000 : 1_000_000, 1_000_000)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.apart == 1)
        #expect(verdict.verdict == .inconclusive && verdict.reason != .apart)
        #expect(!verdict.remedy.contains("processor time") && !verdict.remedy.contains("inFlight"))
    }

    @Test func `a value that changed fails when now the one and now the other is asked first`() throws {
        var bench = Bench(hasBaseline: true, step: 100_000_000)
        for number in 0..<2000 {
            let distance = Int64(bench.random() % 200_000_000) * (number.isMultiple(of: 2) ? 1 : -1)
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(price: number.isMultiple(of: 7) ? 99 : 100)),
                baseline: .success(Self.item()),
                baselineEarlier: distance
            )
        }
        #expect(try bench.verdict.verdict == .fail)
        #expect(try bench.verdict.apart < 100)
    }

    @Test func `what time does not explain fails however late the candidate is asked, and equal answers pass`() throws {
        var (changed, same) = (Bench(hasBaseline: true), Bench(hasBaseline: true))
        let text = AnswerComparatorTests.json(#"{"price":"100","trace":7,"tags":[1,2,3],"name":"a"}"#)
        for _ in 0..<5000 {
            changed.pair(
                Self.item(),
                candidate: .success(text),
                baseline: .success(Self.item()),
                baselineEarlier: 50_000_000
            )
            same.pair(
                Self.item(),
                candidate: .success(Self.item()),
                baseline: .success(Self.item()),
                baselineEarlier: 50_000_000
            )
        }
        #expect(try changed.verdict.verdict == .fail)
        #expect(try same.verdict.verdict == .pass)
    }

    @Test func `noise of both does not stand in the way of passing when either is asked first`() throws {
        var bench = Bench(hasBaseline: true)
        for _ in 0..<5000 {
            let distance = Int64(bench.random() % 100_000_000) - 50_000_000
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(price: bench.random() % 50 == 0 ? 99 : 100)),
                baseline: .success(Self.item(price: bench.random() % 50 == 0 ? 99 : 100)),
                baselineEarlier: distance
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict != .fail && verdict.reason != .apart)
        #expect(verdict.apart < 100)
    }

    @Test func `a value that is wrong now and then does not pass while the candidate is always asked later`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<5000 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(price: number % 10 == 3 ? 99 : 100)),
                baseline: .success(Self.item()),
                baselineEarlier: 50_000_000
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .inconclusive && verdict.reason == .apart && !verdict.remedy.isEmpty)
    }

    @Test func `a value that time cannot explain fails though the candidate is always asked later`() throws {
        var bench = Bench(hasBaseline: true)
        for number in 0..<2000 {
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(price: number % 10 == 3 ? 99 : 100)),
                baseline: .success(Self.item()),
                lag: 60_000_000,
                baselineEarlier: 50_000_000
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict == .fail)
        #expect(verdict.places.filter(\.fails).map(\.place) == [.content("price")])
        // What was set aside until it was certain: more than time explains for once, and no more after.
        #expect(verdict.apart < 40)
    }

    /// Targets and an agent that get too little processor time: both copies go out together, the candidate's queue is the
    /// longer one, and the agent reads both answers late, nearly at once.
    struct Starved: Sendable, CustomTestStringConvertible {
        /// From one value to the next, in nanoseconds.
        let tick: Int64
        /// How much longer the candidate's queue is at most, in nanoseconds.
        let queue: Int64
        /// Every how many requests the price is wrong; none for 0.
        var wrong = 0

        var testDescription: String { "a value every \(tick) ns, a queue of \(queue) ns, wrong every \(wrong)" }
    }

    private func starved(_ situation: Starved, seed: UInt64 = 1) -> Bench {
        var bench = Bench(hasBaseline: true, seed: seed, step: 100_000_000)
        for number in 0..<6000 {
            let time = Int64(number + 1) * bench.step
            func answer(_ later: Int64, price: Int = 100) -> RecordedResponse {
                Self.item(price: price, id: Int((time + later) / situation.tick))
            }
            let lag = 5_000_000 + Int64(bench.random()) % 60_000_000
            // Now and then nothing waits.
            let isQuick = bench.random() % 20 == 0
            let ours = isQuick ? 300_000 : 400_000 + Int64(bench.random()) % situation.queue
            let theirs: Int64 = 300_000
            let read = isQuick ? 0 : situation.queue
            let isOrdered = bench.random() % 2 == 0
            bench.pair(
                answer(-1_000_000),
                candidate: .success(
                    answer(lag + ours, price: situation.wrong > 0 && number % situation.wrong == 1 ? 99 : 100)
                ),
                baseline: .success(answer(lag + theirs)),
                lag: lag,
                baselineEarlier: isOrdered ? 100_000 : -100_000,
                firstByte: (read + 450_000, read + 400_000)
            )
        }
        return bench
    }

    @Test(arguments: [
        Starved(tick: 1_000_000_000, queue: 40_000_000), Starved(tick: 500_000_000, queue: 40_000_000),
        Starved(tick: 50_000_000, queue: 20_000_000), Starved(tick: 1_000_000_000, queue: 500_000_000),
        Starved(tick: 10_000_000_000, queue: 200_000_000),
    ])
    func `queues that the agent does not see fail no version that did not change`(situation: Starved) throws {
        var bench = starved(situation)
        let verdict = try bench.verdict
        #expect(verdict.verdict != .fail, "\(verdict.worse) worse, \(verdict.better) better, \(verdict.apart) apart")
        #expect(verdict.verdict == .pass || !verdict.remedy.isEmpty)
    }

    @Test(arguments: [
        Starved(tick: 1_000_000_000, queue: 40_000_000, wrong: 10),
        Starved(tick: 50_000_000, queue: 20_000_000, wrong: 10),
        Starved(tick: 10_000_000_000, queue: 200_000_000, wrong: 50),
    ])
    func `a price that is wrong now and then is found beside a value that follows the clock`(situation: Starved) throws
    {
        var bench = starved(situation)
        let verdict = try bench.verdict
        #expect(verdict.verdict == .fail, "\(verdict.reason)")
        #expect(verdict.places.filter(\.fails).map(\.place) == [.content("price")])
    }

    @Test func `noise of both passes or fails nobody where the candidate is a little slower`() throws {
        var bench = Bench(hasBaseline: true, step: 1_000_000_000)
        for _ in 0..<5000 {
            func latency() -> Int64 { 90_000_000 + Int64(bench.random() % 20_000_000) }
            let (ours, theirs) = (latency() + 8_000_000, latency())
            bench.pair(
                Self.item(),
                candidate: .success(Self.item(price: bench.random() % 50 == 0 ? 99 : 100)),
                baseline: .success(Self.item(price: bench.random() % 50 == 0 ? 99 : 100)),
                lag: 5_000_000,
                baselineEarlier: Int64(bench.random() % 400_000) - 200_000,
                firstByte: (ours, theirs)
            )
        }
        let verdict = try bench.verdict
        #expect(verdict.verdict != .fail && verdict.reason != .apart)
        #expect(verdict.apart == 0)
    }

    @Test func `neither order of asking gets ahead by more than a few pairs`() {
        var order = AskingOrder()
        let counts = [900_000, 20_000_000, -20_000_000, 5_000_000, .max, .min].map { (distance: Int64) in
            (0..<100).count { _ in order.admits(distance) }
        }
        // As good as at once; then as many as one order may be ahead, and back; another distance has a balance of its own.
        #expect(counts == [100, 4, 8, 4, 4, 8])
    }

    @Test func `pairs that waited vote while neither side is ahead`() {
        var (noise, clock) = (WaitedPairs(), WaitedPairs())
        #expect(!noise.isEven)
        for number in 0..<100 {
            noise.observed(isWorse: number.isMultiple(of: 2))
            clock.observed(isWorse: true)
            #expect(noise.isEven == (number >= 15) && !clock.isEven)
        }
    }

    @Test func `an answer is late by what it took beyond the quickest of the last some hundred`() {
        var quickest = QuickestAnswer()
        #expect(quickest.delay(of: 5) == 0)
        for _ in 0..<300 { quickest.observed(2_000_000) }
        #expect([2_900_000, 3_100_000].map(quickest.delay) == [0, 1_100_000])
        for _ in 0..<600 { quickest.observed(40_000_000) }
        #expect(quickest.delay(of: 45_000_000) == 0)
    }

    @Test func `what changes slowly can have changed in few pairs, and what is not known in any number`() {
        var exposure = TimeExposure()
        #expect(exposure.mostChanges(changed: 0, changedLag: 0) == .infinity)
        for _ in 0..<1000 {
            exposure.observed(
                AskingMoments(asked: 1_000_000, candidateLatency: 4_000_000, baselineLatency: 2_000_000, lag: 5_000_000)
            )
        }
        // Nothing in five seconds, so at most three changes in them, as in five seconds between the two ends.
        #expect(exposure.mostChanges(changed: 0, changedLag: 0) < 13)
        #expect(exposure.mostChanges(changed: 500, changedLag: 2_500_000_000) >= 1000)
    }
}
