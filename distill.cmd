@echo off
rem Runs the distill command line, building it first when its sources changed (see the script "distill" beside this file).
setlocal
set "root=%~dp0"
set "project=%root%pipeline\Distill.Cli"
set "program=%project%\bin\Release\net10.0\distill.dll"
set "stamp=%project%\obj\launcher.stamp"
set "DOTNET_NOLOGO=1"
if not defined DOTNET_CLI_TELEMETRY_OPTOUT set "DOTNET_CLI_TELEMETRY_OPTOUT=1"

rem The stamp holds the number of sources (files added or removed) and its time is that of the build (files changed).
set "sources=$f = @(Get-ChildItem -LiteralPath (@('data','teacher','student','export','pipeline') | ForEach-Object { Join-Path $env:root $_ }) -Recurse -File | Where-Object { $_.FullName -notmatch '\\(bin|obj|models|[^\\]*\.Tests|[^\\]*\.Benchmarks)\\' }) + @(Get-ChildItem -Path (Join-Path $env:root 'Directory.*'), (Join-Path $env:root 'global.json'));"
powershell -NoProfile -ExecutionPolicy Bypass -Command "%sources% $s = Get-Item -LiteralPath $env:stamp -ErrorAction SilentlyContinue; if (-not $s -or -not (Test-Path -LiteralPath $env:program)) { exit 1 }; if ((Get-Content -LiteralPath $env:stamp) -ne $f.Count) { exit 1 }; if ($f | Where-Object { $_.LastWriteTimeUtc -gt $s.LastWriteTimeUtc }) { exit 1 }"
if errorlevel 1 (
  call :build
  if errorlevel 1 exit /b 1
)
dotnet "%program%" %*
exit /b %errorlevel%

:build
where /q dotnet
if errorlevel 1 (
  >&2 echo distill needs the .NET 10 SDK: https://dotnet.microsoft.com/download/dotnet/10.0
  exit /b 1
)
>&2 echo Building distill ...
if not exist "%project%\obj" mkdir "%project%\obj"
powershell -NoProfile -ExecutionPolicy Bypass -Command "%sources% Set-Content -LiteralPath ($env:stamp + '.new') -Value $f.Count"
pushd "%root%"
dotnet build "%project%\Distill.Cli.csproj" -c Release -v quiet -nologo -nodeReuse:false -p:UseSharedCompilation=false -p:RunAnalyzers=false -p:NuGetAudit=false > "%project%\obj\launcher.log" 2>&1
if errorlevel 1 (
  popd
  >&2 type "%project%\obj\launcher.log"
  >&2 echo distill could not be built; the messages above say why.
  exit /b 1
)
popd
move /y "%stamp%.new" "%stamp%" > nul
exit /b 0
