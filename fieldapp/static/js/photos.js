// A photo is made small on the phone: what the server would throw away need not be sent.
const LONGEST = 1600;
const QUALITY = 0.82;

// A JPEG of at most 1600 pixels as an ArrayBuffer; the file as it is where the browser cannot read it.
export async function shrink(file) {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: "from-image" });
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", QUALITY));
    if (blob) return await blob.arrayBuffer();
  } catch {
    // Not a picture that this browser reads: the server says what is wrong with it.
  }
  return file.arrayBuffer();
}
