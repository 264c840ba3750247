"""A form that is larger than its address takes: the server says so by the length alone, before it has come."""

import asyncio

import httpx

BOUNDARY = "a-boundary"


async def post_too_much(client: httpx.AsyncClient, path: str, length: int, **headers: str) -> tuple[int, str]:
    """Status and page for a form of so many bytes, of which the first are sent; signed in as the client is."""
    url = client.base_url.join(path)
    cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in client.cookies.jar)
    lines = {
        "Host": url.netloc.decode(),
        "Connection": "close",
        "Accept-Language": client.headers.get("Accept-Language", "en"),
        "Origin": f"{url.scheme}://{url.netloc.decode()}",
        "Cookie": cookies,
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
        "Content-Length": str(length),
        **headers,
    }
    head = f"POST {url.raw_path.decode()} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in lines.items()) + "\r\n"
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(head.encode() + f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="name"\r\n\r\n'.encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    first, _, page = answer.partition(b"\r\n\r\n")
    return int(first.split()[1]), page.decode(errors="replace")
