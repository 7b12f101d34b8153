-- What the C beneath the suite does with time, sockets and children. natfw-conform runs it in the place
-- of its own main.lua, in a network namespace of its own: see host.sh beside this folder.

return function(_, data_dir)
  package.path = data_dir .. "/../../?.lua"
  local host = require("host")
  local support = require("tests.support")
  local test, expect = support.test, support.expect

  local function keep_busy(milliseconds)
    local until_ms = host.now() + milliseconds
    while host.now() < until_ms do end
  end

  -- Runs action from the loop, and the loop until it is stopped, at most some seconds.
  local function in_loop(action)
    local limit = host.after(10000, function() error("the loop was not stopped") end)
    host.after(1, action)
    host.run()
    limit:cancel()
  end

  host.watch_stalls()

  test("what keeps the loop busy is a stall, and counts where windows overlap it", function()
    local began, ended
    in_loop(function()
      host.after(30, function()
        began = host.now()
        keep_busy(200)
        ended = host.now()
        host.after(30, host.stop)
      end)
    end)
    local whole, half = host.stalled(began, ended), host.stalled(began, began + 100)
    expect(whole >= 150 and whole <= ended - began, "the whole: " .. whole)
    expect(half >= 50 and half <= 100, "half of it: " .. half)
    expect(host.stalled(began - 20000, began - 19000) == 0, "before it was watched")
  end)

  test("a stall that is not over yet counts", function()
    local stalled
    in_loop(function()
      local began = host.now()
      keep_busy(100)
      stalled = host.stalled(began, host.now())
      host.stop()
    end)
    expect(stalled >= 50, stalled .. " ms")
  end)

  -- A child on the first processor, and the folder of its process.
  local function process(command)
    local script, answer = support.temporary("echo $$ >&2; printf '\\0\\0\\0\\2ab'; exec taskset -c 0 "
      .. command), support.temporary("")
    local child = assert(host.child("sh " .. script .. " 2>" .. answer))
    assert(child:receive(5))
    local file = assert(io.open(answer))
    local folder = "/proc/" .. file:read("n")
    file:close()
    os.remove(script)
    os.remove(answer)
    return child, folder
  end

  test("a process that is ready and gets no processor is starved, and a sleeping one is not", function()
    local idle, folder = process("chrt -i 0 sh -c 'while :; do :; done'")
    local sleeper, other = process("sleep 1000")
    local busy = process("sh -c 'while :; do :; done'")
    local function starved(which)
      expect(host.watch_stalls(which) == nil, "it cannot be watched")
      local began, ended = host.now(), nil
      in_loop(function()
        host.after(700, function()
          ended = host.now()
          host.stop()
        end)
      end)
      return host.stalled(began, ended)
    end
    local of_idle = starved(folder)
    expect(of_idle >= 200, "it was not starved: " .. of_idle)
    expect(starved(other) < of_idle, "it was")
    for _, child in ipairs({ busy, sleeper, idle }) do child:close() end
    expect(host.watch_stalls(folder):find("no process"), "one that is gone can be watched")
    host.watch_stalls()
  end)

  local netns = assert(host.netns("/proc/self/ns/net"))
  test("one runner only plays in a namespace at a time, and after it the next", function()
    local first, second = host.netns("/proc/self/ns/net"), host.netns("/proc/self/ns/net")
    expect(first:claim() == true, "it is not free")
    local claimed, why = second:claim()
    expect(claimed == nil and why:find("another natfw%-conform plays here"), tostring(why))
    first:close()
    expect(host.netns("/proc/self/ns/net"):claim() == true, "it was not given back")
    second:close()
  end)

  local PORT = 40270

  -- A datagram arrives while the loop is busy: when that was, and when it was read.
  local function arrival(open)
    local sender = assert(netns:udp("127.0.0.1", PORT + 1, function() end))
    local sent_at, arrived_at, read_at
    local receiver = assert(open(function(_, _, _, at)
      arrived_at, read_at = at, host.now()
      host.stop()
    end))
    in_loop(function()
      sent_at = host.now()
      assert(sender:send("x", "127.0.0.1", PORT))
      keep_busy(200)
    end)
    sender:close()
    receiver:close()
    return arrived_at - sent_at, read_at - sent_at
  end

  for name, open in pairs({
    ["a datagram"] = function(receive) return netns:udp("127.0.0.1", PORT, receive) end,
    ["a packet of GIST"] = function(receive) return netns:gist(PORT, receive) end,
  }) do
    test(name .. " has arrived when the kernel took it, not when it was read", function()
      local stamped, why_not = netns:check_stamps()
      expect(stamped == true, tostring(why_not))
      local drain = assert(netns:udp("127.0.0.2", PORT, function() end))
      local arrived, read = arrival(open)
      drain:close()
      expect(read >= 200, "read after " .. read)
      expect(arrived >= -5 and arrived < 100, "arrived after " .. arrived)
    end)
  end

  local function frame(body) return string.pack(">I4", #body) .. body end

  test("a child that is mute is waited for as long as was said, and killed", function()
    local child = assert(host.child("sleep 1000"))
    local began = host.now()
    local kind, why = child:receive(0.2)
    expect(kind == nil and why == "silence" and host.now() - began >= 200, tostring(why))
    local ended = child:close()
    expect(ended:find("^signal 9"), ended)
    expect(child:send("x", 1) == nil and child:receive(1) == nil, "it is still there")
  end)

  test("what a child has started is ended with it", function()
    local child = assert(host.child("sh -c 'sleep 1000.25; true'"))
    child:receive(0.1)
    child:close()
    local gone = false
    for _ = 1, 500 do
      gone = not os.execute("pgrep -f '^sleep 1000[.]25' >/dev/null")
      if gone then break end
    end
    expect(gone, "a grandchild lives on")
  end)

  test("how a child ends is told, and its end while something is wanted of it", function()
    local child = assert(host.child("sh -c 'exit 7'"))
    local kind, why = child:receive(5)
    expect(kind == nil and why == "end", tostring(why))
    expect(child:close() == "exit status 7", "another status")
    child = assert(host.child("sh -c 'kill -ABRT $$'"))
    child:receive(5)
    expect(child:close():find("^signal 6"), "another signal")
  end)

  test("a length that is none is told, and what comes before it is read", function()
    for text, length in pairs({ ["\\0\\0\\0\\0x"] = 0, ["\\0\\020\\0\\001"] = 0x100001 }) do
      local child = assert(host.child("printf '\\0\\0\\0\\002ab" .. text .. "'"))
      local kind, body = child:receive(5)
      expect(kind == string.byte("a") and body == "b", tostring(kind))
      local none, why, number = child:receive(5)
      expect(none == nil and why == "length" and number == length, tostring(why) .. tostring(number))
      child:close()
    end
  end)

  test("octets that nobody asked for are pending", function()
    local child = assert(host.child("cat"))
    expect(not child:pending(), "before it said anything")
    assert(child:send(frame("ab") .. frame("cd"), 5))
    assert(child:receive(5))
    local kind = child:pending() and child:receive(5)
    expect(kind == string.byte("c") and not child:pending(), tostring(kind))
    child:close()
  end)

  netns:close()
  require("tests.host.captures")(host)

  support.finish()
end
