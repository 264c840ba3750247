"""Reads QR codes off a screenshot, as a phone's camera would: by a decoder that shares nothing with what drew them."""

import base64

import zxingcpp
from playwright.async_api import Browser

_READ_PIXELS = """async (png) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${png}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
  canvas.drawImage(image, 0, 0);
  const { data } = canvas.getImageData(0, 0, image.width, image.height);
  let grey = "";
  for (let at = 0; at < data.length; at += 4) {
    grey += String.fromCharCode(Math.round(0.2126 * data[at] + 0.7152 * data[at + 1] + 0.0722 * data[at + 2]));
  }
  return { width: image.width, height: image.height, grey: btoa(grey) };
}"""


async def read_qr_codes(browser: Browser, png: bytes) -> list[str]:
    """The texts of the codes in a picture."""
    page = await browser.new_page()
    pixels = await page.evaluate(_READ_PIXELS, base64.b64encode(png).decode())
    await page.close()
    grey = memoryview(base64.b64decode(pixels["grey"])).cast("B", (pixels["height"], pixels["width"]))
    return [
        code.text
        for code in zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    ]
