using System.Buffers;
using System.IO.MemoryMappedFiles;

namespace Distill.Libtorch.Elf;

/// <summary>A file's bytes without reading them: libtorch has hundreds of megabytes, of which a few are looked at. Dispose it.</summary>
internal sealed unsafe class MappedFile : MemoryManager<byte>
{
    private readonly MemoryMappedFile file;
    private readonly MemoryMappedViewAccessor view;
    private readonly byte* start;
    private readonly int length;

    /// <exception cref="InvalidDataException">Empty, or 2 GiB and more.</exception>
    public MappedFile(string path)
    {
        long size = new FileInfo(path).Length;
        if (size is 0 or > int.MaxValue) throw new InvalidDataException($"it has {size:N0} bytes");
        length = (int)size;
        file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        view = file.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        byte* pointer = null;
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        start = pointer + view.PointerOffset;
    }

    public override Span<byte> GetSpan() => new(start, length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(start + elementIndex);

    public override void Unpin()
    {
        // The mapping does not move.
    }

    protected override void Dispose(bool disposing)
    {
        view.SafeMemoryMappedViewHandle.ReleasePointer();
        view.Dispose();
        file.Dispose();
    }
}
