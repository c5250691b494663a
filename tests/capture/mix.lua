-- Has wrk send the requests of a file, in turns. Each is there as it goes over the wire, behind its length.
local requests, at = {}, 0

function init(arguments)
  local file = assert(io.open(arguments[1], "rb"))
  while true do
    local length = file:read("*n")
    if not length then break end
    file:read(1)
    requests[#requests + 1] = file:read(length)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end
