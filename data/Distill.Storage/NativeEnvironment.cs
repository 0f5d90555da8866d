using System.Runtime.InteropServices;

namespace Distill.Storage;

/// <summary>
/// Environment variables as native libraries see them. Outside Windows .NET keeps an environment of its own, of which native code and its
/// <c>getenv</c> know nothing. Set them before the library is loaded that reads them, and while no other thread may be reading any.
/// </summary>
internal static partial class NativeEnvironment
{
    public static void Set(string name, string value)
    {
        Environment.SetEnvironmentVariable(name, value);
        if (!OperatingSystem.IsWindows()) _ = SetInLibc(name, value, 1);
    }

    /// <summary>The same, unless the user said something already, by one of these names.</summary>
    public static void SetUnlessSet(string name, string value, params ReadOnlySpan<string> others)
    {
        foreach (string one in (ReadOnlySpan<string>)[name, .. others])
        {
            if (Environment.GetEnvironmentVariable(one) is not null) return;
        }

        Set(name, value);
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetInLibc(string name, string value, int overwrite);
}
