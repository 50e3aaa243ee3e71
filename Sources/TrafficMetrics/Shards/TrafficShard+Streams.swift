// Wingmirror · Apache-2.0

/// What is counted of gRPC calls and WebSockets.
extension TrafficShard {
    // MARK: - Calls

    /// Counts what a gRPC call has beside its status.
    func count(_ call: CallObservation, at time: Int64, for cells: RouteCells) {
        countMessages(of: call, at: time, for: cells)
        guard let stream = call.stream else { return }
        for (histogram, value) in stream.times {
            if let value { observe(value, histogram, at: time, for: cells) }
        }
    }

    /// The same of a call whose route has no series.
    func countFolded(_ call: CallObservation, at time: Int64) {
        countOverflow(.gRPCMessages) { countMessages(of: call, at: time, for: $0) }
        guard let stream = call.stream else { return }
        for (histogram, value) in stream.times {
            guard let value else { continue }
            countOverflow(histogram.limited) { observe(value, histogram, at: time, for: $0) }
        }
    }

    private func countMessages(of call: CallObservation, at time: Int64, for cells: RouteCells) {
        cells.add(call.requestMessages, to: layout.word(of: .gRPCRequestMessages), at: time)
        cells.add(call.responseMessages, to: layout.word(of: .gRPCResponseMessages), at: time)
    }

    // MARK: - WebSockets

    /// A request was accepted as a WebSocket: it is in flight no more, but open.
    public func webSocketOpened(gateway: GatewaySeries) {
        countFor(gateway) {
            $0.requestEnded()
            $0.webSocketOpened()
        }
    }

    /// Ends what `webSocketOpened` began, in place of `requestEnded`.
    public func webSocketClosed(gateway: GatewaySeries) {
        countFor(gateway) { $0.webSocketClosed() }
    }

    /// Counts what a WebSocket of a route carried, once it is over; its exchange is counted by `exchangeCompleted`.
    public func webSocketEnded(route: RouteSeries, _ webSocket: WebSocketObservation) {
        lendCells(of: route) { cells, table in
            guard let cells else { return countFolded(webSocket) }
            let (time, code) = (webSocket.startedAt, CodeCounter(webSocket.closeCode))
            cells.beginExchange()
            countMessages(of: webSocket, for: cells)
            countBytes(of: webSocket, for: cells)
            count(code, at: time, for: cells, slot: Int(route.slot), in: table)
            observe(webSocket.lifetimeNanoseconds, .webSocketLifetime, at: time, for: cells)
            for ping in webSocket.pingNanoseconds { observe(ping, .webSocketPing, at: time, for: cells) }
            cells.endExchange()
        }
    }

    private func countFolded(_ webSocket: WebSocketObservation) {
        let (time, code) = (webSocket.startedAt, CodeCounter(webSocket.closeCode))
        countOverflow(.webSocketMessages) { countMessages(of: webSocket, for: $0) }
        countOverflow(.webSocketBytes) { countBytes(of: webSocket, for: $0) }
        countOverflow(.webSocketCloses) { $0.add(1, to: layout.word(of: code), at: time) }
        countOverflow(.webSocketLifetime) {
            observe(webSocket.lifetimeNanoseconds, .webSocketLifetime, at: time, for: $0)
        }
        for ping in webSocket.pingNanoseconds {
            countOverflow(.webSocketPing) { observe(ping, .webSocketPing, at: time, for: $0) }
        }
    }

    private func countMessages(of webSocket: WebSocketObservation, for cells: RouteCells) {
        for (counter, count) in webSocket.messages {
            cells.add(count, to: layout.word(of: counter), at: webSocket.startedAt)
        }
    }

    private func countBytes(of webSocket: WebSocketObservation, for cells: RouteCells) {
        let time = webSocket.startedAt
        cells.add(webSocket.request.payloadBytes, to: layout.word(of: .webSocketRequestBytes), at: time)
        cells.add(webSocket.response.payloadBytes, to: layout.word(of: .webSocketResponseBytes), at: time)
    }

    // MARK: - Codes and times

    /// Counts one more of a code, or of what stands for it at the series limit.
    func count(_ counter: CodeCounter, at time: Int64, for cells: RouteCells, slot: Int, in table: ShardTable) {
        var counter = counter
        if !cells.has(counter) {
            if table.admits(counter, slot: slot) {
                cells.begin(counter)
            } else {
                countFold(counter.family.limited, .code)
                counter = counter.other
            }
        }
        cells.add(1, to: layout.word(of: counter), at: time)
    }

    private func observe(_ nanoseconds: Int64, _ histogram: StreamHistogram, at time: Int64, for cells: RouteCells) {
        let value = UInt64(max(0, nanoseconds))
        let cell = layout.buckets(of: histogram).cell(of: value)
        cells.observe(value, cell: cell, start: layout.start(of: histogram), at: time)
    }
}

extension CallObservation.Stream {
    fileprivate var times: [(StreamHistogram, Int64?)] {
        [
            (.gRPCFirstMessage, firstMessageNanoseconds), (.gRPCLastMessage, lastMessageNanoseconds),
            (.gRPCLifetime, lifetimeNanoseconds),
        ]
    }
}

extension WebSocketObservation {
    fileprivate var messages: [(RouteCounter, Int)] {
        [
            (.webSocketRequestText, request.textMessages), (.webSocketRequestBinary, request.binaryMessages),
            (.webSocketRequestPings, request.pings), (.webSocketRequestPongs, request.pongs),
            (.webSocketResponseText, response.textMessages), (.webSocketResponseBinary, response.binaryMessages),
            (.webSocketResponsePings, response.pings), (.webSocketResponsePongs, response.pongs),
        ]
    }
}
