package driver

import (
	"context"
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

var errTooLarge = errors.New("more than 1 MiB")

// readFile opens the file in a way that does not wait, so that of a named pipe, too, reading ends with the context.
func readFile(ctx context.Context, path string) reply {
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return failed(err, "other")
	}
	defer file.Close()
	defer context.AfterFunc(ctx, func() { file.SetReadDeadline(time.Unix(1, 0)) })()
	text, err := readAll(file)
	if err != nil {
		return failed(err, "other")
	}
	return reply{"reply": "text", "text": text}
}

func readAll(reader io.Reader) (string, error) {
	read, err := io.ReadAll(io.LimitReader(reader, int64(bounds().BodyBytes)+1))
	if len(read) > bounds().BodyBytes {
		err = errTooLarge
	}
	return string(read), err
}
