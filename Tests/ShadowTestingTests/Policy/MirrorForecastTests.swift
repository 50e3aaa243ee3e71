// Wingmirror · Apache-2.0

import Redaction
import Testing
import TrafficModel

@testable import ShadowTesting

@Suite struct MirrorForecastTests {
    private let staging = MirrorTarget(name: "staging", host: "staging.internal", port: 8080)
    private let route = RouteName(virtualServiceNamespace: "default", virtualService: "product-vs", route: "#0")

    private func forecast(_ policies: [MirrorPolicy]) throws -> MirrorForecast {
        let plan = try MirrorPlan(policies: policies, targets: ["staging", "baseline"])
        return MirrorForecast(plan: plan, targets: [staging], node: "node", key: RedactionKey(high: 1, low: 2))
    }

    private func exchange(
        _ request: RecordedRequest,
        second: Int64 = 0,
        integrity: [String] = []
    ) -> RecordedExchange {
        RecordedExchange(request: request, route: route, startTime: second * 1_000_000_000, integrity: integrity)
    }

    @Test func `each request is in one column of its policy's row`() throws {
        var forecast = try forecast([.everything { $0.percent = 50 }])
        for number in 0..<200 {
            let method = number % 4 == 0 ? "POST" : "GET"
            let request = RecordedRequest.client(method, "/products", [("x-request-id", "number-\(number)-of-200")])
            forecast.exchangeSeen(
                exchange(request, second: Int64(number) / 10, integrity: number % 7 == 0 ? ["request_gap"] : []),
                client: (0, UInt64(number))
            )
        }
        let row = try #require(forecast.rows.first)
        #expect(forecast.rows.count == 1)
        #expect(row.requests == 200)
        #expect(row.filtered.values.reduce(0, +) + row.eligible == 200)
        #expect(row.filtered[.method] == 50)
        #expect((row.filtered[.integrity] ?? 0) > 0)
        #expect(row.sampled > 0 && row.notSampled > 0)
        #expect(row.methods == ["GET": 150, "POST": 50])
        #expect(row.unsafeShare == 0.25)
        #expect(row.sizes.reduce(0, +) == row.sampled)
        #expect(forecast.seconds == 19)
    }

    @Test func `rates count every copy that would be sent`() throws {
        var forecast = try forecast([
            .everything("d1") { $0.repeatShare = 0.5 }, .everything("d2") { $0.baseline = "baseline" },
        ])
        for second in 0...10 {
            forecast.exchangeSeen(exchange(.client(), second: Int64(second)), client: (0, 1))
        }
        let rows = forecast.sortedRows
        #expect(rows.map(\.policy) == ["d1", "d2"])
        #expect(rows[0].copiesPerSecond(over: forecast.seconds) == 11 * 1.5 / 10)
        #expect(rows[1].copiesPerSecond(over: forecast.seconds) == 11 * 2.0 / 10)
        #expect(rows[1].octetsPerSecond(over: forecast.seconds) == Double(rows[1].octets) * 2 / 10)
        #expect(rows[0].copiesPerSecond(over: 0) == 0)
    }

    @Test func `requests that may change something are counted once, as they are never repeated`() throws {
        var forecast = try forecast([
            .everything("d1") {
                $0.repeatShare = 0.5
                $0.methods = ["GET", "POST"]
            }
        ])
        for second in 0...10 {
            let method = second < 4 ? "POST" : "GET"
            forecast.exchangeSeen(exchange(.client(method), second: Int64(second)), client: (0, 1))
        }
        let row = try #require(forecast.sortedRows.first)
        #expect(row.sampled == 11)
        #expect(row.copiesPerSecond(over: 10) == (4 + 7 * 1.5) / 10)
    }

    @Test func `redactions and sizes are those of what would be sent`() throws {
        var forecast = try forecast([.everything { $0.methods = ["POST"] }])
        let fields = [("Authorization", "Bearer secret"), ("Content-Type", "application/json")]
        let content = String(repeating: "x", count: 2000)
        forecast.exchangeSeen(
            exchange(.client("POST", "/a?access_token=secret", fields, content: content)),
            client: (0, 1)
        )
        let row = try #require(forecast.rows.first)
        #expect(row.redactions == 2)
        #expect(row.sizes[MirrorForecast.SizeClass.medium.rawValue] == 1)
        #expect(row.octets > 2000)
    }

    @Test func `what cannot be redacted is filtered in the forecast too`() throws {
        var forecast = try forecast([
            .everything {
                $0.methods = ["POST"]
                $0.hashedContent = ["user"]
            }
        ])
        let fields = [("Content-Type", "application/json")]
        forecast.exchangeSeen(exchange(.client("POST", "/", fields, content: "{user")), client: (0, 1))
        #expect(forecast.rows.first?.filtered == [.redaction: 1])
    }

    @Test func `exchanges that no policy looks at make no row but count for the time`() throws {
        var forecast = try forecast([.everything { $0.match.virtualService = "default/other" }])
        forecast.exchangeSeen(exchange(.client()), client: (0, 1))
        forecast.exchangeSeen(exchange(.client(), second: 5), client: (0, 1))
        #expect(forecast.rows.isEmpty)
        #expect(forecast.exchanges == 2)
        #expect(forecast.seconds == 5)
    }

    @Test func `methods that clients invent do not make the row grow`() throws {
        var forecast = try forecast([.everything()])
        for number in 0..<100 { forecast.exchangeSeen(exchange(.client("M\(number)")), client: (0, 1)) }
        let row = try #require(forecast.rows.first)
        #expect(row.methods.count == 17)
        #expect(row.methods["_OTHER"] == 84)
    }

    @Test func `marked requests are told as such`() throws {
        var forecast = try forecast([.everything()])
        forecast.exchangeSeen(exchange(.client("GET", "/", [("Wingmirror-Shadow", "n;hops=1")])), client: (0, 1))
        #expect(forecast.rows.first?.filtered == [.marked: 1])
    }
}
