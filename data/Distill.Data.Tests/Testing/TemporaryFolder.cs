namespace Distill.Testing;

/// <summary>A folder of a test's own, gone when the test ends.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("distill-test-").FullName;

    /// <inheritdoc cref="Path"/>
    public string Root => Path;

    /// <inheritdoc cref="File(string)"/>
    public string this[string name] => File(name);

    /// <summary>The path of a file in the folder, whether it is there or not; parts of the name are parted by slashes.</summary>
    public string File(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>Writes a file in the folder, with the folders above it.</summary>
    /// <returns>Its path.</returns>
    public string File(string name, string content)
    {
        string path = File(name);
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        System.IO.File.WriteAllText(path, content);
        return path;
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
